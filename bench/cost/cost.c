/* cost.c - what a feature costs a job.
 *
 *   leat_cost --list          names the cases, and what each is
 *   leat_cost CASE ITEMS      runs them, and prints nanoseconds for each
 *
 * tools/cost.py measures with it, and counts instructions. Exit status: 0; 1: something did not
 * run; 2: no such case. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cost/cases.h"
#include "bench/kernels/machine.h"

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        const struct cost_case *one = cost_case_at(0);
        for (size_t i = 1; one != NULL; i++) {
            printf("%s\t%s\n", one->name, one->text);
            one = cost_case_at(i);
        }
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--compiler") == 0) {
        printf("%s\n", bench_compiler());
        return 0;
    }
    double ns = 0;
    enum cost_ran ran = COST_NO_CASE;
    if (argc == 3) {
        ran = cost_run(argv[1], strtoull(argv[2], NULL, 10), NULL, &ns);
    }
    if (ran == COST_NO_CASE) {
        (void)fprintf(stderr, "usage: leat_cost --list | --compiler | CASE ITEMS\n");
        return 2;
    }
    printf("%.3f\n", ns);
    return ran == COST_RAN ? 0 : 1;
}
