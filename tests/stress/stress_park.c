/* stress_park.c - being written. */

int
main(void)
{
    return 77;
}
