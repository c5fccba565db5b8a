/* embed_descriptors.c - being written. */

int
main(void)
{
    return 77;
}
