/* report.c - a report over all files of a directory: a job for each file counts its lines, words
 * and bytes, one for each directory adds them, one adds those and writes the report, and a last one
 * tells that it is there. All but the last are submitted in one call. Files that cannot be read are
 * left out, and counted. At the end the same is done by this thread alone, and compared.
 *
 *   report DIRECTORY REPORT     at most 5 000 files */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_parts.h"

#define FILES_MAX 5000

static struct leat_job
job_of(const char *type, const char *text, const struct leat_job_options *options)
{
    struct leat_job job = leat_job_default();
    job.type_name = type;
    job.payload = text;
    job.payload_bytes = text == NULL ? 0 : strlen(text) + 1;
    job.options = options;
    return job;
}

/* Files, then directories, then the report: who stands in front is a parent. Members of the cohort
 * are the files. */
static bool
submit(struct leat_engine *engine, const struct tree *tree, const char *path, leat_job_id cohort,
       leat_job_id *report)
{
    size_t total = tree->files_count + tree->directories_count;
    struct leat_job *jobs = calloc(total + 1, sizeof(*jobs));
    struct leat_graph_edge *edges = calloc(total + 1, sizeof(*edges));
    leat_job_id *ids = calloc(total + 1, sizeof(*ids));
    struct leat_graph graph = leat_graph_default();
    struct leat_job_options counted = leat_job_options_default();
    struct leat_job_options added = leat_job_options_default();
    counted.cohort = cohort;
    added.parent_policy = LEAT_PARENT_IGNORE;
    bool ok = jobs != NULL && edges != NULL && ids != NULL;
    for (size_t i = 0; i < total && ok; i++) {
        bool is_file = i < tree->files_count;
        jobs[i] = is_file ? job_of("count", tree->files[i], &counted) : job_of("add", NULL, &added);
        size_t child = is_file ? tree->files_count + tree->directories[i] : total;
        edges[i] = (struct leat_graph_edge){(uint32_t)i, (uint32_t)child};
    }
    if (ok) {
        jobs[total] = job_of("report", path, &added);
        jobs[total].flags = LEAT_JOB_KEEP_RESULT;
        graph.jobs = jobs;
        graph.count = total + 1;
        graph.edges = edges;
        graph.edges_count = total;
        ok = leat_submit_graph(engine, &graph, ids, NULL) == LEAT_OK;
        *report = ids[total];
    }
    free(ids);
    free(edges);
    free(jobs);
    return ok;
}

/* Behind the report and the cohort, however these ended. */
static bool
tell(struct leat_engine *engine, const char *path, leat_job_id report, leat_job_id cohort)
{
    const leat_job_id parents[] = {report, cohort};
    struct leat_job_options options = leat_job_options_default();
    options.parents = parents;
    options.parents_count = 2;
    options.parent_policy = LEAT_PARENT_IGNORE;
    const struct leat_job job = job_of("notify", path, &options);
    leat_job_id id = {0};
    return leat_submit(engine, &job, &id) == LEAT_OK &&
           leat_wait(engine, id, LEAT_FOREVER, NULL) == LEAT_OK;
}

static bool
run(struct leat_engine *engine, const struct tree *tree, const char *path)
{
    const struct leat_cohort_options options = {
        .size = sizeof(options), .version = LEAT_STRUCT_VERSION, .flags = LEAT_JOB_KEEP_RESULT};
    struct leat_cohort_info info = leat_cohort_info_default();
    struct counts counts = {0, 0, 0, 0};
    struct counts alone = {0, 0, 0, 0};
    leat_job_id cohort = {0};
    leat_job_id report = {0};
    bool ok = leat_start(engine) == LEAT_OK &&
              leat_cohort_open(engine, &options, &cohort) == LEAT_OK &&
              submit(engine, tree, path, cohort, &report) &&
              leat_cohort_close(engine, cohort) == LEAT_OK && tell(engine, path, report, cohort) &&
              leat_cohort_get(engine, cohort, &info) == LEAT_OK &&
              leat_result(engine, report, &counts, sizeof(counts), NULL) == LEAT_OK;
    counts_of_tree(tree, &alone);
    printf("%llu files counted, %llu left out\n", (unsigned long long)info.completed,
           (unsigned long long)info.dead);
    return ok && memcmp(&counts, &alone, sizeof(counts)) == 0 && counts.files == info.completed;
}

int
main(int argc, char **argv)
{
    struct leat_engine *engine = NULL;
    struct tree tree = {NULL, NULL, 0, 0};
    if (argc != 3 || !tree_walk(argv[1], FILES_MAX, &tree) ||
        leat_open(NULL, &engine, NULL) != LEAT_OK) {
        (void)fprintf(stderr, "usage: report DIRECTORY REPORT\n");
        tree_free(&tree);
        return 2;
    }
    bool ok = leat_type_register(engine, "count", report_count, NULL, NULL, NULL) == LEAT_OK &&
              leat_type_register(engine, "add", report_add, NULL, NULL, NULL) == LEAT_OK &&
              leat_type_register(engine, "report", report_write, NULL, NULL, NULL) == LEAT_OK &&
              leat_type_register(engine, "notify", report_notify, NULL, NULL, NULL) == LEAT_OK &&
              run(engine, &tree, argv[2]);
    ok = leat_stop(engine, LEAT_FOREVER) == LEAT_OK && leat_close(engine) == LEAT_OK && ok;
    tree_free(&tree);
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
