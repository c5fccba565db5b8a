/* stress_slab.c - being written. */

int
main(void)
{
    return 77;
}
