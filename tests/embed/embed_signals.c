/* embed_signals.c - being written. */

int
main(void)
{
    return 77;
}
