/* embed_allocator.c - being written. */

int
main(void)
{
    return 77;
}
