/* stress_mpmc.c - being written. */

int
main(void)
{
    return 77;
}
