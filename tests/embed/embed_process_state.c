/* embed_process_state.c - being written. */

int
main(void)
{
    return 77;
}
