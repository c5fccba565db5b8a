/* embed_fork.c - being written. */

int
main(void)
{
    return 77;
}
