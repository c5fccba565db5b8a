/* embed_two_engines.c - being written. */

int
main(void)
{
    return 77;
}
