/* The C interface from C99: what it computes, who owns what, and that no call, however wrong, does more than give a code. */
#include <engine/engine.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(claim)                                                                                                      \
  do {                                                                                                                    \
    if (!(claim)) {                                                                                                       \
      ++failures;                                                                                                         \
      fprintf(stderr, "%s:%d: not so: %s\n  last error: %s\n", __FILE__, __LINE__, #claim, engine_last_error()->message); \
    }                                                                                                                     \
  } while (0)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- layout: what is compiled today runs with every later library --------------------------------------------------- */

#define HOLDS(name, claim) typedef char layout_##name[(claim) ? 1 : -1]
#define FIELD(type, field, offset) HOLDS(type##_##field, offsetof(type, field) == (offset))

HOLDS(engine_code, sizeof(engine_code) == 4);
HOLDS(engine_span, sizeof(engine_span) == 16);
FIELD(engine_span, end, 4);
FIELD(engine_span, label, 8);
FIELD(engine_error, n_spans, 4);
FIELD(engine_error, message, 8);
FIELD(engine_error, what, 16);
FIELD(engine_error, help, 24);
FIELD(engine_error, text, 32);
FIELD(engine_error, text_length, 40);
FIELD(engine_error, spans, 48);
HOLDS(engine_array, sizeof(engine_array) == 40);
FIELD(engine_array, data, 0);
FIELD(engine_array, dtype, 8);
FIELD(engine_array, ndim, 12);
FIELD(engine_array, shape, 16);
FIELD(engine_array, strides, 24);
FIELD(engine_array, device, 32);
FIELD(engine_array, flags, 36);
HOLDS(engine_operand, sizeof(engine_operand) == 48);
FIELD(engine_operand, kind, 0);
FIELD(engine_operand, reserved, 4);
FIELD(engine_operand, value, 8);
HOLDS(engine_options, sizeof(engine_options) == 56);
FIELD(engine_options, casting, 8);
FIELD(engine_options, exactness, 12);
FIELD(engine_options, backend, 16);
FIELD(engine_options, blitz, 20);
FIELD(engine_options, depth, 24);
FIELD(engine_options, nodes, 28);
FIELD(engine_options, names, 32);
FIELD(engine_options, reserved, 36);
FIELD(engine_options, result_bytes, 40);
FIELD(engine_options, seconds, 48);
FIELD(engine_name, name, 0);
FIELD(engine_name, required, 8);
FIELD(engine_name, written, 12);
FIELD(engine_name, begin, 16);
FIELD(engine_name, end, 20);
HOLDS(engine_run_options, sizeof(engine_run_options) == 56);
FIELD(engine_run_options, order, 8);
FIELD(engine_run_options, threads, 12);
FIELD(engine_run_options, allocate, 16);
FIELD(engine_run_options, allocate_context, 24);
FIELD(engine_run_options, interrupted, 32);
FIELD(engine_run_options, interrupted_context, 40);
FIELD(engine_run_options, graph, 48);
HOLDS(engine_graph_stats, sizeof(engine_graph_stats) == 40);
FIELD(engine_graph_stats, kernels, 8);
FIELD(engine_graph_stats, captures, 16);
FIELD(engine_graph_stats, updates, 24);
FIELD(engine_graph_stats, replays, 32);
HOLDS(engine_beyond, sizeof(engine_beyond) == 40);
HOLDS(engine_steps, sizeof(engine_steps) == 72);
HOLDS(engine_run_info, sizeof(engine_run_info) == 88);
FIELD(engine_run_info, runs, 8);
FIELD(engine_run_info, compiled, 16);
FIELD(engine_run_info, threads, 20);
FIELD(engine_run_info, seconds, 24);
FIELD(engine_run_info, kernels, 32);
FIELD(engine_run_info, operations, 40);
FIELD(engine_run_info, bytes_read, 48);
FIELD(engine_run_info, bytes_written, 56);
FIELD(engine_run_info, copies, 64);
FIELD(engine_run_info, bytes_copied, 72);
FIELD(engine_run_info, backend, 80);
FIELD(engine_function, arguments, 8);
FIELD(engine_function, sentence, 16);
FIELD(engine_function, oracle, 24);
FIELD(engine_function, kind, 32);
FIELD(engine_function, ulp, 40);
FIELD(engine_function, low, 48);
FIELD(engine_function, high, 56);
FIELD(engine_backend, usable, 8);
FIELD(engine_backend, reason, 16);

HOLDS(codes, ENGINE_OK == 0 && ENGINE_PARSE_ERROR == 1 && ENGINE_UNKNOWN_NAME == 2 && ENGINE_DTYPE_ERROR == 3 && ENGINE_SHAPE_ERROR == 4 &&
                 ENGINE_RANGE_ERROR == 5 && ENGINE_LIMIT_ERROR == 6 && ENGINE_BACKEND_ERROR == 7 && ENGINE_OUT_OF_MEMORY == 8 &&
                 ENGINE_INTERNAL_ERROR == 9 && ENGINE_BAD_ARGUMENT == 10 && ENGINE_INTERRUPTED == 11);
HOLDS(dtypes, ENGINE_BOOL == 0 && ENGINE_INT8 == 1 && ENGINE_UINT8 == 2 && ENGINE_INT16 == 3 && ENGINE_UINT16 == 4 && ENGINE_INT32 == 5 &&
                  ENGINE_UINT32 == 6 && ENGINE_INT64 == 7 && ENGINE_UINT64 == 8 && ENGINE_FLOAT16 == 9 && ENGINE_FLOAT32 == 10 &&
                  ENGINE_FLOAT64 == 11 && ENGINE_COMPLEX64 == 12 && ENGINE_COMPLEX128 == 13);
HOLDS(kinds, ENGINE_OPERAND_ABSENT == 0 && ENGINE_OPERAND_ARRAY == 1 && ENGINE_OPERAND_BOOL == 2 && ENGINE_OPERAND_INT == 3 &&
                 ENGINE_OPERAND_UINT == 4 && ENGINE_OPERAND_FLOAT == 5 && ENGINE_OPERAND_COMPLEX == 6);
HOLDS(words, ENGINE_CASTING_SAME_KIND == 0 && ENGINE_CASTING_NO == 1 && ENGINE_CASTING_EQUIV == 2 && ENGINE_CASTING_SAFE == 3 &&
                 ENGINE_CASTING_UNSAFE == 4 && ENGINE_EXACTNESS_STRICT == 0 && ENGINE_EXACTNESS_RELAXED == 1 && ENGINE_ORDER_K == 0 &&
                 ENGINE_ORDER_C == 1 && ENGINE_ORDER_F == 2 && ENGINE_ORDER_A == 3 && ENGINE_BACKEND_AUTO == 0 &&
                 ENGINE_BACKEND_INTERP == 1 && ENGINE_BACKEND_JIT == 2 && ENGINE_BACKEND_CUDA == 3 && ENGINE_TEXT == 0 && ENGINE_JSON == 1);
HOLDS(places, ENGINE_HOST == 0 && ENGINE_CUDA_DEVICE(0) == 1 && ENGINE_READONLY == 1 && ENGINE_SWAPPED == 2 && ENGINE_MAX_NDIM == 32);

/* ---- helpers -------------------------------------------------------------------------------------------------------- */

static engine_operand array(void *data, int32_t dtype, int32_t ndim, const int64_t *shape) {
  engine_operand operand;
  memset(&operand, 0, sizeof operand);
  operand.kind = ENGINE_OPERAND_ARRAY;
  operand.value.array.data = data;
  operand.value.array.dtype = dtype;
  operand.value.array.ndim = ndim;
  operand.value.array.shape = shape;
  return operand;
}

static engine_operand doubles(double *data, const int64_t *n) { return array(data, ENGINE_FLOAT64, 1, n); }

static engine_program *compile(const char *text) {
  engine_program *program = NULL;
  if (engine_compile(text, ENGINE_TERMINATED, NULL, &program) != ENGINE_OK) {
    fprintf(stderr, "%s: %s\n", text, engine_last_error()->message);
    exit(1);
  }
  return program;
}

/* Whether the last error has that class and names the thing that is wrong. */
static int says(engine_code code, const char *words) {
  const engine_error *error = engine_last_error();
  if (error->code == code && strstr(error->message, words) && error->what && error->help && error->text) return 1;
  fprintf(stderr, "  code %d: %s\n", (int)error->code, error->message);
  return 0;
}

static const int64_t three[1] = {3};

/* ---- what it computes ----------------------------------------------------------------------------------------------- */

static void computes_into_the_callers_array(void) {
  double a[3] = {1, 2, 3}, b[3] = {10, 20, 30}, d[3] = {0, 0, 0};
  engine_operand operands[2] = {doubles(a, three), doubles(b, three)};
  const engine_array out = doubles(d, three).value.array;
  engine_program *program = compile("2*a + b");
  CHECK(engine_run(program, operands, 2, &out, NULL, NULL) == ENGINE_OK);
  CHECK(d[0] == 12 && d[1] == 24 && d[2] == 36);
  CHECK(engine_program_free(program) == ENGINE_OK);
}

static void gives_a_result_that_owns_its_memory(void) {
  double a[6] = {1, 2, 3, 4, 5, 6};
  const int64_t shape[2] = {2, 3};
  engine_operand operands[1] = {array(a, ENGINE_FLOAT64, 2, shape)};
  engine_program *program = compile("a.T * 2");
  engine_result *result = NULL;
  engine_array value;
  CHECK(engine_run(program, operands, 1, NULL, NULL, &result) == ENGINE_OK);
  engine_program_free(program);
  memset(a, 0, sizeof a);
  CHECK(engine_result_array(result, &value) == ENGINE_OK);
  CHECK(value.dtype == ENGINE_FLOAT64 && value.ndim == 2 && value.device == ENGINE_HOST && value.flags == 0);
  CHECK(value.shape[0] == 3 && value.shape[1] == 2);
  CHECK(value.strides[0] == 8 && value.strides[1] == 24); /* order K keeps the operand's */
  CHECK(((const double *)value.data)[5] == 12);
  CHECK((uintptr_t)value.data % 64 == 0);
  CHECK(engine_result_free(result) == ENGINE_OK);
}

static void gives_the_order_that_is_asked_for(void) {
  double a[6] = {1, 2, 3, 4, 5, 6};
  const int64_t shape[2] = {2, 3};
  engine_operand operands[1] = {array(a, ENGINE_FLOAT64, 2, shape)};
  engine_run_options options = {.size = sizeof options};
  engine_program *program = compile("a + 1");
  engine_result *result = NULL;
  engine_array value;
  options.order = ENGINE_ORDER_F;
  CHECK(engine_run(program, operands, 1, NULL, &options, &result) == ENGINE_OK);
  CHECK(engine_result_array(result, &value) == ENGINE_OK);
  CHECK(value.strides[0] == 8 && value.strides[1] == 16 && ((const double *)value.data)[1] == 5);
  engine_result_free(result);
  engine_program_free(program);
}

static void takes_numbers_of_every_kind(void) {
  float a[3] = {1, 2, 3};
  engine_operand operands[6];
  const char *names[6] = {"a", "i", "u", "f", "b", "z"};
  engine_result *result = NULL;
  engine_array value;
  memset(operands, 0, sizeof operands);
  operands[0] = array(a, ENGINE_FLOAT32, 1, three);
  operands[1].kind = ENGINE_OPERAND_INT, operands[1].value.i = -2;
  operands[2].kind = ENGINE_OPERAND_UINT, operands[2].value.u = UINT64_MAX;
  operands[3].kind = ENGINE_OPERAND_FLOAT, operands[3].value.f = 0.5;
  operands[4].kind = ENGINE_OPERAND_BOOL, operands[4].value.i = 1;
  operands[5].kind = ENGINE_OPERAND_COMPLEX, operands[5].value.c[0] = 1, operands[5].value.c[1] = 2;
  /* Numbers yield to the array's dtype, as Python's do. */
  CHECK(engine_evaluate("(a*i + f) * b", ENGINE_TERMINATED, names, operands, 6, NULL, NULL, NULL, &result) == ENGINE_OK);
  CHECK(engine_result_array(result, &value) == ENGINE_OK && value.dtype == ENGINE_FLOAT32);
  CHECK(((const float *)value.data)[2] == -5.5f);
  CHECK(engine_result_free(result) == ENGINE_OK);
  CHECK(engine_evaluate("a * z", ENGINE_TERMINATED, names, operands, 6, NULL, NULL, NULL, &result) == ENGINE_OK);
  CHECK(engine_result_array(result, &value) == ENGINE_OK && value.dtype == ENGINE_COMPLEX64);
  CHECK(((const float *)value.data)[3] == 4.0f);
  CHECK(engine_result_free(result) == ENGINE_OK);
  CHECK(engine_evaluate("u", ENGINE_TERMINATED, names, operands, 6, NULL, NULL, NULL, &result) == ENGINE_OK);
  CHECK(engine_result_array(result, &value) == ENGINE_OK && value.dtype == ENGINE_UINT64 && value.ndim == 0);
  CHECK(*(const uint64_t *)value.data == UINT64_MAX);
  CHECK(engine_result_free(result) == ENGINE_OK);
}

static void takes_any_strides_and_either_byte_order(void) {
  unsigned char bytes[16] = {0, 1, 0, 2, 0, 3, 0, 4}; /* big-endian 1 2 3 4, then zeros */
  int32_t d[4] = {0};
  const int64_t four[1] = {4}, backwards[1] = {-2};
  engine_operand operand = array(bytes + 6, ENGINE_INT16, 1, four);
  const engine_array out = array(d, ENGINE_INT32, 1, four).value.array;
  engine_program *program = compile("a * 10");
  operand.value.array.strides = backwards;
  operand.value.array.flags = ENGINE_SWAPPED | ENGINE_READONLY;
  CHECK(engine_run(program, &operand, 1, &out, NULL, NULL) == ENGINE_OK);
  CHECK(d[0] == 40 && d[1] == 30 && d[2] == 20 && d[3] == 10);
  engine_program_free(program);
}

static void writes_in_place_and_gives_the_region_that_was_written(void) {
  double a[5] = {1, 2, 3, 4, 5}, b[5] = {9, 9, 9, 9, 9};
  const int64_t five[1] = {5};
  engine_operand operands[2] = {doubles(b, five), doubles(a, five)};
  engine_program *program = compile("b[1:-1] = (a[:-2] + a[2:]) / 2");
  engine_result *result = NULL;
  engine_array value;
  CHECK(engine_program_name(program, 0)->written == 1 && engine_program_name(program, 1)->written == 0);
  CHECK(engine_run(program, operands, 2, NULL, NULL, &result) == ENGINE_OK);
  CHECK(b[0] == 9 && b[1] == 2 && b[3] == 4 && b[4] == 9);
  CHECK(engine_result_array(result, &value) == ENGINE_OK && value.data == b + 1 && value.shape[0] == 3);
  CHECK(engine_result_free(result) == ENGINE_OK);
  CHECK(b[1] == 2); /* the memory was the caller's */
  CHECK(engine_run(program, operands, 2, NULL, NULL, NULL) == ENGINE_OK);
  engine_program_free(program);
}

static void out_may_overlap_its_operands(void) {
  double a[4] = {1, 2, 3, 4};
  engine_operand operands[1] = {doubles(a, three)};
  const engine_array out = doubles(a + 1, three).value.array;
  engine_program *program = compile("a + 10");
  CHECK(engine_run(program, operands, 1, &out, NULL, NULL) == ENGINE_OK);
  CHECK(a[0] == 1 && a[1] == 11 && a[2] == 12 && a[3] == 13);
  engine_program_free(program);
}

static void handles_arrays_without_axes_and_without_elements(void) {
  double a = 2, d = 0;
  const int64_t shape[2] = {0, 3};
  engine_operand operands[1] = {array(&a, ENGINE_FLOAT64, 0, NULL)};
  engine_array out = array(&d, ENGINE_FLOAT64, 0, NULL).value.array, value;
  engine_program *program = compile("a * 3");
  engine_result *result = NULL;
  CHECK(engine_run(program, operands, 1, &out, NULL, NULL) == ENGINE_OK && d == 6);
  operands[0] = array(NULL, ENGINE_FLOAT64, 2, shape);
  CHECK(engine_run(program, operands, 1, NULL, NULL, &result) == ENGINE_OK);
  CHECK(engine_result_array(result, &value) == ENGINE_OK && value.shape[0] == 0 && value.shape[1] == 3);
  engine_result_free(result);
  out = array(NULL, ENGINE_FLOAT64, 2, shape).value.array;
  CHECK(engine_run(program, operands, 1, &out, NULL, NULL) == ENGINE_OK);
  engine_program_free(program);
}

static void text_may_hold_anything_up_to_its_length(void) {
  engine_program *program = NULL;
  CHECK(engine_compile("a + b and the rest", 5, NULL, &program) == ENGINE_OK && engine_program_n_names(program) == 2);
  engine_program_free(program);
  CHECK(engine_compile("a\0b", 3, NULL, &program) == ENGINE_PARSE_ERROR && program == NULL);
  CHECK(engine_last_error()->text_length == 3);
  CHECK(engine_compile(NULL, 0, NULL, &program) == ENGINE_PARSE_ERROR);
}

static void describes_names(void) {
  engine_program *program = compile("a*pi + long_name");
  CHECK(engine_program_n_names(program) == 3);
  CHECK(strcmp(engine_program_name(program, 0)->name, "a") == 0 && engine_program_name(program, 0)->required == 1);
  CHECK(strcmp(engine_program_name(program, 1)->name, "pi") == 0 && engine_program_name(program, 1)->required == 0);
  CHECK(engine_program_name(program, 2)->begin == 7 && engine_program_name(program, 2)->end == 16);
  CHECK(engine_program_name(program, 3) == NULL && says(ENGINE_BAD_ARGUMENT, "index 3"));
  engine_program_free(program);
}

static void operands_may_be_left_out_for_constants_alone(void) {
  engine_operand none;
  engine_result *result = NULL;
  engine_array value;
  engine_program *program = compile("pi");
  memset(&none, 0, sizeof none);
  CHECK(engine_run(program, &none, 1, NULL, NULL, &result) == ENGINE_OK);
  CHECK(engine_result_array(result, &value) == ENGINE_OK && *(const double *)value.data > 3.14);
  engine_result_free(result);
  engine_program_free(program);
  program = compile("a");
  CHECK(engine_run(program, &none, 1, NULL, NULL, &result) == ENGINE_UNKNOWN_NAME && result == NULL);
  engine_program_free(program);
}

/* ---- options and callbacks ------------------------------------------------------------------------------------------- */

struct giver {
  int calls;
  void *memory;
  int32_t dtype, ndim;
  int64_t extent, stride;
  size_t n_bytes;
};
static void *give(void *context, int32_t dtype, int32_t ndim, const int64_t *shape, const int64_t *strides, size_t n_bytes) {
  struct giver *self = context;
  ++self->calls;
  self->dtype = dtype;
  self->ndim = ndim;
  if (ndim > 0) self->extent = shape[0], self->stride = strides[0];
  self->n_bytes = n_bytes;
  return self->memory;
}

static void memory_may_come_from_the_caller(void) {
  double a[3] = {1, 2, 3}, d[4] = {0};
  engine_operand operands[1] = {doubles(a, three)};
  struct giver giver = {0};
  engine_run_options options = {.size = sizeof options};
  engine_program *program = compile("a*a");
  engine_result *result = NULL;
  engine_array value;
  options.allocate = give;
  options.allocate_context = &giver;
  giver.memory = d;
  CHECK(engine_run(program, operands, 1, NULL, &options, NULL) == ENGINE_OK);
  CHECK(d[2] == 9 && giver.calls == 1 && giver.dtype == ENGINE_FLOAT64 && giver.ndim == 1 && giver.extent == 3 && giver.stride == 8 &&
        giver.n_bytes == 24);
  CHECK(engine_run(program, operands, 1, NULL, &options, &result) == ENGINE_OK);
  CHECK(engine_result_array(result, &value) == ENGINE_OK && value.data == d);
  CHECK(engine_result_free(result) == ENGINE_OK && d[2] == 9);
  giver.memory = NULL;
  CHECK(engine_run(program, operands, 1, NULL, &options, NULL) == ENGINE_OUT_OF_MEMORY && says(ENGINE_OUT_OF_MEMORY, "24 bytes"));
  giver.memory = (char *)d + 1;
  CHECK(engine_run(program, operands, 1, NULL, &options, NULL) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "aligned"));
  engine_program_free(program);
}

static int stop(void *context) { return ++*(int *)context > 1; }

static void a_callback_stops_a_long_run(void) {
  static double a[1 << 16];
  const int64_t shape[2] = {1 << 14, 1 << 16}, strides[2] = {0, 8};
  engine_operand operand = array(a, ENGINE_FLOAT64, 2, shape);
  engine_run_options options = {.size = sizeof options};
  engine_program *program = compile("sum(sin(a)*cos(a))");
  int asked = 0;
  engine_result *result = NULL;
  operand.value.array.strides = strides;
  options.interrupted = stop;
  options.interrupted_context = &asked;
  CHECK(engine_run(program, &operand, 1, NULL, &options, &result) == ENGINE_INTERRUPTED);
  CHECK(asked == 2 && result == NULL && strcmp(engine_code_name(ENGINE_INTERRUPTED), "Interrupted") == 0);
  engine_program_free(program);
}

static void limits_hold(void) {
  static double a[1 << 16];
  const int64_t shape[2] = {1 << 14, 1 << 16}, strides[2] = {0, 8};
  engine_operand operand = array(a, ENGINE_FLOAT64, 2, shape);
  engine_options options = {.size = sizeof options};
  engine_program *program = NULL;
  engine_result *result = NULL;
  operand.value.array.strides = strides;
  options.depth = 4;
  CHECK(engine_compile("((((((1))))))", ENGINE_TERMINATED, &options, &program) == ENGINE_LIMIT_ERROR);
  options.depth = UINT32_MAX; /* no more than the stack can bear */
  options.nodes = 3;
  CHECK(engine_compile("a+a+a+a", ENGINE_TERMINATED, &options, &program) == ENGINE_LIMIT_ERROR);
  options.nodes = 0;
  options.names = 1;
  CHECK(engine_compile("a+b", ENGINE_TERMINATED, &options, &program) == ENGINE_LIMIT_ERROR);
  options.names = 0;
  options.result_bytes = 1 << 20;
  CHECK(engine_compile("a*2", ENGINE_TERMINATED, &options, &program) == ENGINE_OK);
  CHECK(engine_run(program, &operand, 1, NULL, NULL, &result) == ENGINE_LIMIT_ERROR && says(ENGINE_LIMIT_ERROR, "1048576"));
  engine_program_free(program);
  options.result_bytes = 0;
  options.seconds = 0.05;
  CHECK(engine_compile("sum(sin(a)*cos(a))", ENGINE_TERMINATED, &options, &program) == ENGINE_OK);
  CHECK(engine_run(program, &operand, 1, NULL, NULL, &result) == ENGINE_LIMIT_ERROR && says(ENGINE_LIMIT_ERROR, "0.05 s"));
  engine_program_free(program);
}

static void options_mean_what_they_say(void) {
  double a[3] = {1, 2, 3};
  int32_t d[3] = {0};
  engine_operand operands[2] = {doubles(a, three), doubles(a, three)};
  const engine_array out = array(d, ENGINE_INT32, 1, three).value.array;
  engine_options options = {.size = sizeof options};
  engine_program *program = compile("a*2");
  CHECK(engine_run(program, operands, 1, &out, NULL, NULL) == ENGINE_DTYPE_ERROR);
  engine_program_free(program);
  options.casting = ENGINE_CASTING_UNSAFE;
  CHECK(engine_compile("a*2", ENGINE_TERMINATED, &options, &program) == ENGINE_OK);
  CHECK(engine_run(program, operands, 1, &out, NULL, NULL) == ENGINE_OK && d[2] == 6);
  engine_program_free(program);
  options.casting = ENGINE_CASTING_SAME_KIND;
  options.blitz = 1;
  CHECK(engine_compile("b = a + 1", ENGINE_TERMINATED, &options, &program) == ENGINE_OK);
  CHECK(engine_program_n_names(program) == 2 && engine_program_name(program, 0)->written);
  engine_program_free(program);
  options.blitz = 0;
  options.backend = ENGINE_BACKEND_CUDA;
  CHECK(engine_compile("a", ENGINE_TERMINATED, &options, &program) == ENGINE_BACKEND_ERROR);
}

static void structs_of_a_later_version_are_taken_while_they_ask_for_nothing_new(void) {
  struct {
    engine_options known;
    int64_t more;
  } later;
  engine_program *program = NULL;
  memset(&later, 0, sizeof later);
  later.known.size = sizeof later;
  CHECK(engine_compile("a", ENGINE_TERMINATED, &later.known, &program) == ENGINE_OK);
  engine_program_free(program);
  later.more = 1;
  CHECK(engine_compile("a", ENGINE_TERMINATED, &later.known, &program) == ENGINE_BAD_ARGUMENT);
}

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

static void errors_point_at_the_text(void) {
  double a[12] = {0}, d[12];
  const int64_t shape[2] = {3, 4}, other[2] = {4, 3};
  engine_operand operands[2] = {array(a, ENGINE_FLOAT64, 2, shape), array(a, ENGINE_FLOAT64, 2, other)};
  const engine_array out = array(d, ENGINE_FLOAT64, 2, shape).value.array;
  engine_program *program = compile("2*a + b");
  const engine_error *error;
  CHECK(engine_run(program, operands, 2, &out, NULL, NULL) == ENGINE_SHAPE_ERROR);
  error = engine_last_error();
  CHECK(strcmp(error->message,
               "cannot broadcast '2*a' with 'b'\n  | 2*a + b\n  | ^^^      shape (3, 4)\n  |       ^  shape (4, 3)\n"
               "  = help: axis 0 is 3 against 4: make them equal, or one of them 1") == 0);
  CHECK(error->n_spans == 2 && error->spans[0].begin == 0 && error->spans[0].end == 3 && error->spans[1].begin == 6);
  CHECK(strcmp(error->spans[1].label, "shape (4, 3)") == 0 && strcmp(error->text, "2*a + b") == 0);
  CHECK(strcmp(engine_code_name(error->code), "ShapeError") == 0);
  engine_program_free(program);
  CHECK(engine_last_error()->code == ENGINE_SHAPE_ERROR && error->n_spans == 2);
  engine_program_free(compile("a"));
  CHECK(engine_last_error()->code == ENGINE_OK && strcmp(engine_last_error()->message, "") == 0);
}

static void every_class_has_its_code(void) {
  static const struct {
    const char *text;
    engine_code code;
  } cases[] = {{"2*(a", ENGINE_PARSE_ERROR},  {"cosine(a)", ENGINE_UNKNOWN_NAME}, {"a + q", ENGINE_UNKNOWN_NAME},
               {"a & 1", ENGINE_DTYPE_ERROR}, {"a[5]", ENGINE_SHAPE_ERROR},       {"int8(a) + 1000", ENGINE_RANGE_ERROR},
               {"1/0", ENGINE_RANGE_ERROR},   {"2**100", ENGINE_LIMIT_ERROR},     {"int64(a) ** int64(-a)", ENGINE_RANGE_ERROR}};
  double a[3] = {1, 2, 3};
  const char *names[1] = {"a"};
  engine_operand operands[1] = {doubles(a, three)};
  size_t i;
  for (i = 0; i < COUNT(cases); ++i) {
    engine_result *result = (engine_result *)&i;
    const engine_code code = engine_evaluate(cases[i].text, ENGINE_TERMINATED, names, operands, 1, NULL, NULL, NULL, &result);
    if (code != cases[i].code) fprintf(stderr, "%s\n", cases[i].text);
    CHECK(code == cases[i].code && engine_last_error()->code == code && result == NULL);
    CHECK(strcmp(engine_last_error()->text, cases[i].text) == 0);
  }
}

static void *fails_in_its_own_way(void *unused) {
  engine_program *program = NULL;
  (void)unused;
  CHECK(engine_last_error()->code == ENGINE_OK);
  CHECK(engine_compile("1 +", ENGINE_TERMINATED, NULL, &program) == ENGINE_PARSE_ERROR);
  return NULL;
}
static void the_last_error_is_the_threads_own(void) {
  pthread_t thread;
  CHECK(engine_set_num_threads(-1) == ENGINE_BAD_ARGUMENT);
  CHECK(pthread_create(&thread, NULL, fails_in_its_own_way, NULL) == 0);
  pthread_join(thread, NULL);
  CHECK(engine_last_error()->code == ENGINE_BAD_ARGUMENT);
}

/* ---- hostile calls ----------------------------------------------------------------------------------------------------- */

static void null_pointers_are_refused(void) {
  double a[3] = {1, 2, 3};
  engine_operand operands[1] = {doubles(a, three)};
  const char *const no_name[1] = {NULL};
  engine_program *program = NULL;
  engine_result *result = NULL;
  engine_array value;
  char text[8];
  CHECK(engine_compile(NULL, ENGINE_TERMINATED, NULL, &program) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "text"));
  CHECK(engine_compile(NULL, 3, NULL, &program) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_compile("a", 1, NULL, NULL) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "program"));
  CHECK(engine_run(NULL, operands, 1, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_program_n_names(NULL) == 0 && engine_last_error()->code == ENGINE_BAD_ARGUMENT);
  CHECK(engine_program_name(NULL, 0) == NULL && engine_last_error()->code == ENGINE_BAD_ARGUMENT);
  CHECK(engine_result_array(NULL, &value) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_last_run(NULL) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_evaluate("a", 1, NULL, operands, 1, NULL, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_evaluate("a", 1, no_name, operands, 1, NULL, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_gradient("a", 1, NULL, text, sizeof text, NULL) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_gradient("a", 1, "a", NULL, 8, NULL) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "buffer"));
  CHECK(engine_program_free(NULL) == ENGINE_OK && engine_result_free(NULL) == ENGINE_OK);
  program = compile("a*2");
  CHECK(engine_run(program, NULL, 1, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_run(program, operands, 1, NULL, NULL, NULL) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "no place"));
  CHECK(engine_run(program, operands, 0, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "0 operands"));
  CHECK(engine_run(program, operands, 2, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_explain(program, operands, 1, 0, 0, NULL, 1, NULL) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_run(program, operands, 1, NULL, NULL, &result) == ENGINE_OK);
  CHECK(engine_result_array(result, NULL) == ENGINE_BAD_ARGUMENT);
  engine_result_free(result);
  engine_program_free(program);
}

static void handles_are_good_once(void) {
  double a[3] = {1, 2, 3};
  engine_operand operands[1] = {doubles(a, three)};
  engine_program *program = compile("a*2"), *again;
  engine_result *result = NULL, *unused = NULL;
  engine_array value;
  CHECK(engine_run(program, operands, 1, NULL, NULL, &result) == ENGINE_OK);
  CHECK(engine_result_array((const engine_result *)program, &value) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_result_free((engine_result *)program) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_program_free((engine_program *)result) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_program_free((engine_program *)a) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_result_free(result) == ENGINE_OK && engine_result_free(result) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_result_array(result, &value) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "freed"));
  CHECK(engine_program_free(program) == ENGINE_OK && engine_program_free(program) == ENGINE_BAD_ARGUMENT);
  again = compile("a*3"); /* takes the place, and yet */
  CHECK(again != program && engine_run(program, operands, 1, NULL, NULL, &unused) == ENGINE_BAD_ARGUMENT && unused == NULL);
  CHECK(engine_program_n_names(program) == 0 && engine_program_name(program, 0) == NULL);
  engine_program_free(again);
}

static void descriptors_that_cannot_be_are_refused(void) {
  double memory[8] = {0};
  int64_t shape[40], strides[40];
  engine_program *program = compile("a*2");
  engine_result *result = NULL;
  engine_operand good = array(memory, ENGINE_FLOAT64, 1, shape), bad;
  int as_out, k;
  for (k = 0; k < 40; ++k) shape[k] = 1, strides[k] = 8;
  shape[0] = 2;
  for (as_out = 0; as_out < 2; ++as_out) {
#define REFUSED(expected, words)                                                                                                  \
  do {                                                                                                                            \
    const engine_code code =                                                                                                      \
        as_out ? engine_run(program, &good, 1, &bad.value.array, NULL, NULL) : engine_run(program, &bad, 1, NULL, NULL, &result); \
    CHECK(code == (expected) && result == NULL && says(expected, words));                                                         \
    bad = good;                                                                                                                   \
  } while (0)
    bad = good, bad.value.array.dtype = -1;
    REFUSED(ENGINE_DTYPE_ERROR, "dtype -1");
    bad.value.array.dtype = 14;
    REFUSED(ENGINE_DTYPE_ERROR, "dtype 14");
    bad.value.array.dtype = INT_MAX;
    REFUSED(ENGINE_DTYPE_ERROR, "dtype");
    bad.value.array.ndim = -1;
    REFUSED(ENGINE_SHAPE_ERROR, "-1 axes");
    bad.value.array.ndim = 33;
    REFUSED(ENGINE_SHAPE_ERROR, "33 axes");
    bad.value.array.ndim = INT_MIN;
    REFUSED(ENGINE_SHAPE_ERROR, "axes");
    bad.value.array.flags = 4;
    REFUSED(ENGINE_BAD_ARGUMENT, "flags");
    bad.value.array.flags = UINT_MAX;
    REFUSED(ENGINE_BAD_ARGUMENT, "flags");
    bad.value.array.device = -1;
    REFUSED(ENGINE_BAD_ARGUMENT, "device");
    bad.value.array.device = ENGINE_CUDA_DEVICE(0);
    REFUSED(ENGINE_BACKEND_ERROR, ""); /* there is no driver, or it is not its memory */
    bad.value.array.shape = NULL;
    REFUSED(ENGINE_BAD_ARGUMENT, "shape is NULL");
    bad.value.array.data = NULL;
    REFUSED(ENGINE_BAD_ARGUMENT, "data is NULL");
    {
      int64_t hostile[3] = {2, -1, 2};
      bad.value.array.ndim = 3, bad.value.array.shape = hostile;
      REFUSED(ENGINE_SHAPE_ERROR, "extent -1");
      hostile[1] = INT64_MIN;
      bad.value.array.ndim = 3, bad.value.array.shape = hostile;
      REFUSED(ENGINE_SHAPE_ERROR, "extent");
      hostile[1] = INT64_MAX;
      bad.value.array.ndim = 3, bad.value.array.shape = hostile;
      REFUSED(ENGINE_SHAPE_ERROR, "larger than any memory");
      hostile[0] = 0; /* without elements, and still */
      bad.value.array.ndim = 3, bad.value.array.shape = hostile;
      REFUSED(ENGINE_SHAPE_ERROR, "larger than any memory");
      hostile[0] = hostile[1] = (int64_t)1 << 31, hostile[2] = 1;
      strides[0] = strides[1] = strides[2] = 0; /* one element, stretched */
      bad.value.array.ndim = 3, bad.value.array.shape = hostile, bad.value.array.strides = strides;
      REFUSED(ENGINE_SHAPE_ERROR, "larger than any memory");
    }
    {
      static const int64_t far[] = {INT64_MIN, INT64_MAX, INT64_MIN / 2, (int64_t)1 << 58, -((int64_t)1 << 58)};
      size_t i;
      for (i = 0; i < COUNT(far); ++i) {
        strides[0] = far[i];
        bad.value.array.strides = strides;
        REFUSED(ENGINE_SHAPE_ERROR, "larger than any memory");
      }
      strides[0] = 8;
    }
    bad.value.array.data = (void *)(UINTPTR_MAX - 7); /* the second element would be at the first address */
    REFUSED(ENGINE_SHAPE_ERROR, "larger than any memory");
  }
  /* Of one element no stride matters. */
  shape[0] = 1;
  strides[0] = INT64_MIN;
  bad = good, bad.value.array.strides = strides;
  CHECK(engine_run(program, &bad, 1, NULL, NULL, &result) == ENGINE_OK);
  engine_result_free(result);
  shape[0] = 2;
  engine_program_free(program);
}

static void what_is_read_only_is_not_written(void) {
  double a[3] = {1, 2, 3}, d[3] = {7, 7, 7};
  engine_operand operands[2] = {doubles(d, three), doubles(a, three)};
  engine_array out = doubles(d, three).value.array;
  engine_program *program = compile("b[...] = a");
  operands[0].value.array.flags = ENGINE_READONLY;
  CHECK(engine_run(program, operands, 2, NULL, NULL, NULL) == ENGINE_SHAPE_ERROR && says(ENGINE_SHAPE_ERROR, "'b' is read-only"));
  CHECK(engine_last_error()->n_spans == 1 && engine_last_error()->spans[0].end == 1);
  operands[0].value.array.flags = 0;
  CHECK(engine_run(program, operands, 2, &out, NULL, NULL) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "assignment to 'b'"));
  engine_program_free(program);
  program = compile("a*2");
  out.flags = ENGINE_READONLY;
  CHECK(engine_run(program, operands + 1, 1, &out, NULL, NULL) == ENGINE_SHAPE_ERROR && says(ENGINE_SHAPE_ERROR, "out is read-only"));
  CHECK(d[0] == 7 && d[1] == 7 && d[2] == 7);
  engine_program_free(program);
}

static void out_must_have_the_results_shape(void) {
  double a[3] = {1, 2, 3}, d[3] = {7, 7, 7};
  const int64_t two[1] = {2};
  engine_operand operands[1] = {doubles(a, three)};
  const engine_array out = doubles(d, two).value.array;
  engine_program *program = compile("a*2");
  CHECK(engine_run(program, operands, 1, &out, NULL, NULL) == ENGINE_SHAPE_ERROR && d[0] == 7);
  engine_program_free(program);
}

static void words_that_mean_nothing_are_refused(void) {
  double a[3] = {1, 2, 3};
  engine_operand operand = doubles(a, three), bad;
  engine_program *program = NULL, *good = compile("a*2");
  engine_result *result = NULL;
  engine_options options;
  engine_run_options run_options;
  engine_run_info info;
  char text[64];
#define OPTIONS(field, number)                                                                \
  memset(&options, 0, sizeof options), options.size = sizeof options, options.field = number; \
  CHECK(engine_compile("a", 1, &options, &program) == ENGINE_BAD_ARGUMENT && program == NULL)
  OPTIONS(size, 0);
  OPTIONS(size, sizeof options - 1);
  OPTIONS(size, 5000);
  OPTIONS(size, SIZE_MAX);
  OPTIONS(casting, 5);
  OPTIONS(casting, -1);
  OPTIONS(exactness, 2);
  OPTIONS(backend, 4);
  OPTIONS(blitz, 2);
  OPTIONS(reserved, 1);
  OPTIONS(result_bytes, -1);
  OPTIONS(seconds, -1.0);
  options.seconds = 0, options.seconds /= options.seconds; /* NaN */
  CHECK(engine_compile("a", 1, &options, &program) == ENGINE_BAD_ARGUMENT);
#define RUN_OPTIONS(field, number)                                                                                \
  memset(&run_options, 0, sizeof run_options), run_options.size = sizeof run_options, run_options.field = number; \
  CHECK(engine_run(good, &operand, 1, NULL, &run_options, &result) == ENGINE_BAD_ARGUMENT && result == NULL)
  RUN_OPTIONS(size, 8);
  RUN_OPTIONS(order, 4);
  RUN_OPTIONS(order, INT_MIN);
  RUN_OPTIONS(threads, -1);
  bad = operand, bad.kind = 7;
  CHECK(engine_run(good, &bad, 1, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "kind 7"));
  bad.kind = -1;
  CHECK(engine_run(good, &bad, 1, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT);
  bad = operand, bad.reserved = 1;
  CHECK(engine_run(good, &bad, 1, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT);
  bad = operand, bad.kind = ENGINE_OPERAND_BOOL, bad.value.i = 2;
  CHECK(engine_run(good, &bad, 1, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT && says(ENGINE_BAD_ARGUMENT, "bool"));
  CHECK(engine_explain(good, &operand, 1, 0, 2, text, sizeof text, NULL) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_explain(good, &operand, 1, 9, 0, text, sizeof text, NULL) == ENGINE_BAD_ARGUMENT);
  memset(&info, 0, sizeof info);
  CHECK(engine_last_run(&info) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_code_name(-1) == NULL && engine_code_name(12) == NULL && engine_code_name(INT_MAX) == NULL);
  CHECK(engine_dtype_name(-1) == NULL && engine_dtype_name(14) == NULL && engine_dtype_size(14) == 0 && engine_dtype_size(-1) == 0);
  engine_program_free(good);
}

static void operands_are_given_once(void) {
  double a[3] = {1, 2, 3};
  const char *names[3] = {"a", "unused", "a"};
  engine_operand operands[3] = {doubles(a, three), doubles(a, three), doubles(a, three)};
  engine_result *result = NULL;
  CHECK(engine_evaluate("a", 1, names, operands, 2, NULL, NULL, NULL, &result) == ENGINE_OK);
  engine_result_free(result);
  CHECK(engine_evaluate("a", 1, names, operands, 3, NULL, NULL, NULL, &result) == ENGINE_BAD_ARGUMENT &&
        says(ENGINE_BAD_ARGUMENT, "twice"));
}

static void results_beyond_memory_are_an_error(void) {
  double a = 1;
  const int64_t shape[2] = {1, (int64_t)1 << 28}, other[2] = {(int64_t)1 << 28, 1}, zero[2] = {0, 0};
  const char *names[2] = {"a", "b"};
  engine_operand operands[2] = {array(&a, ENGINE_FLOAT64, 2, shape), array(&a, ENGINE_FLOAT64, 2, other)};
  engine_result *result = NULL;
  operands[0].value.array.strides = operands[1].value.array.strides = zero;
  CHECK(engine_evaluate("a + b", 5, names, operands, 2, NULL, NULL, NULL, &result) == ENGINE_OUT_OF_MEMORY && result == NULL);
  CHECK(engine_evaluate("a[0] + 1", 8, names, operands, 1, NULL, NULL, NULL, &result) == ENGINE_OK); /* and it goes on */
  engine_result_free(result);
}

/* ---- texts, tables, threads ---------------------------------------------------------------------------------------------- */

static void texts_are_cut_to_the_buffer(void) {
  double a[3] = {1, 2, 3};
  engine_operand operands[1] = {doubles(a, three)};
  engine_program *program = compile("2*a");
  char text[4096], few[8];
  size_t length = 0, whole = 0;
  memset(few, 'x', sizeof few);
  CHECK(engine_explain(program, operands, 1, ENGINE_ORDER_K, ENGINE_TEXT, text, sizeof text, &whole) == ENGINE_OK);
  CHECK(whole == strlen(text) && strstr(text, "1 fused pass over memory"));
  CHECK(engine_explain(program, operands, 1, ENGINE_ORDER_K, ENGINE_TEXT, few, 5, &length) == ENGINE_OK);
  CHECK(length == whole && memcmp(few, text, 4) == 0 && few[4] == '\0' && few[5] == 'x');
  CHECK(engine_explain(program, operands, 1, ENGINE_ORDER_K, ENGINE_TEXT, NULL, 0, &length) == ENGINE_OK && length == whole);
  CHECK(engine_explain(program, operands, 1, ENGINE_ORDER_K, ENGINE_JSON, text, sizeof text, NULL) == ENGINE_OK && text[0] == '{');
  engine_program_free(program);
  CHECK(engine_gradient("sin(a)*b", ENGINE_TERMINATED, "a", text, sizeof text, &length) == ENGINE_OK);
  CHECK(strcmp(text, "b * cos(a)") == 0 && length == strlen(text));
  CHECK(engine_gradient("a", ENGINE_TERMINATED, "z", text, sizeof text, &length) == ENGINE_UNKNOWN_NAME && text[0] == '\0' && length == 0);
}

static void tables_are_whole(void) {
  size_t i, found = 0;
  for (i = 0; i < engine_n_functions(); ++i) {
    const engine_function *row = engine_function_at(i);
    CHECK(row && row->name[0] && row->arguments && row->sentence[0] && row->oracle && row->kind[0]);
    if (row && strcmp(row->name, "hypot") == 0) found += strcmp(row->arguments, "x, y") == 0;
  }
  CHECK(found == 1 && i > 100);
  CHECK(engine_function_at(i) == NULL && engine_function_at(SIZE_MAX) == NULL && says(ENGINE_BAD_ARGUMENT, "functions"));
  CHECK(engine_n_backends() >= 1 && strcmp(engine_backend_at(0)->name, "interp") == 0 && engine_backend_at(0)->usable == 1);
  CHECK(engine_backend_at(SIZE_MAX) == NULL);
  CHECK(engine_abi_version() == ENGINE_ABI_VERSION && strchr(engine_version(), '.') && engine_compiler()[0] && engine_instruction_set()[0]);
  for (i = 0; i <= ENGINE_COMPLEX128; ++i) CHECK(engine_dtype_name((int32_t)i) && engine_dtype_size((int32_t)i) > 0);
  CHECK(strcmp(engine_dtype_name(ENGINE_FLOAT16), "float16") == 0 && engine_dtype_size(ENGINE_COMPLEX128) == 16);
  for (i = ENGINE_OK; i <= ENGINE_INTERRUPTED; ++i) CHECK(engine_code_name((engine_code)i));
}

static void the_last_run_is_described(void) {
  double a[3] = {1, 2, 3};
  engine_operand operands[1] = {doubles(a, three)};
  engine_program *program = compile("2*a + a");
  engine_result *result = NULL;
  struct {
    engine_run_info info;
    int64_t more;
  } later;
  uint64_t runs;
  memset(&later, 0xff, sizeof later);
  later.info.size = sizeof later;
  CHECK(engine_last_run(&later.info) == ENGINE_OK && later.more == 0);
  runs = later.info.runs;
  CHECK(engine_run(program, operands, 1, NULL, NULL, &result) == ENGINE_OK);
  CHECK(engine_last_run(&later.info) == ENGINE_OK && later.info.runs == runs + 1 && later.info.compiled == 1);
  CHECK(later.info.operations == 6 && later.info.bytes_written == 24 && later.info.kernels == 1 &&
        (later.info.backend == ENGINE_BACKEND_INTERP || later.info.backend == ENGINE_BACKEND_JIT) && later.info.size == sizeof later);
  engine_result_free(result);
  engine_program_free(program);
}

static void the_number_of_threads_is_settable(void) {
  const int32_t before = engine_num_threads();
  CHECK(before >= 1);
  CHECK(engine_set_num_threads(3) == ENGINE_OK && engine_num_threads() == 3);
  CHECK(engine_set_num_threads(-1) == ENGINE_BAD_ARGUMENT && engine_num_threads() == 3);
  CHECK(engine_set_num_threads(0) == ENGINE_OK && engine_num_threads() == before);
}

enum { kThreads = 16, kRuns = 200 };
struct shared {
  engine_program *program;
  int wrong;
  pthread_mutex_t lock;
};
static void *runs_it_often(void *context) {
  struct shared *shared = context;
  int repeat, wrong = 0;
  for (repeat = 0; repeat < kRuns; ++repeat) {
    double a[3] = {1, 2, 3};
    engine_operand operands[1] = {doubles(a, three)};
    engine_result *result = NULL;
    engine_array value;
    engine_program *own = NULL;
    wrong += engine_run(shared->program, operands, 1, NULL, NULL, &result) != ENGINE_OK;
    wrong += engine_result_array(result, &value) != ENGINE_OK || ((const double *)value.data)[2] != 9;
    wrong += engine_result_free(result) != ENGINE_OK;
    wrong += engine_compile("a + 1", ENGINE_TERMINATED, NULL, &own) != ENGINE_OK;
    wrong += engine_program_free(own) != ENGINE_OK;
  }
  pthread_mutex_lock(&shared->lock);
  shared->wrong += wrong;
  pthread_mutex_unlock(&shared->lock);
  return NULL;
}
static void programs_and_results_serve_many_threads(void) {
  struct shared shared;
  pthread_t threads[kThreads];
  int i;
  shared.program = compile("a*a");
  shared.wrong = 0;
  pthread_mutex_init(&shared.lock, NULL);
  for (i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, runs_it_often, &shared) == 0);
  for (i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  CHECK(shared.wrong == 0);
  pthread_mutex_destroy(&shared.lock);
  engine_program_free(shared.program);
}

/* A program that is freed while a run of it goes on: the run ends well, later ones find it gone. */
static int frees(void *context) {
  engine_program **program = context;
  if (*program) {
    CHECK(engine_program_free(*program) == ENGINE_OK);
    *program = NULL;
  }
  return 0;
}
static void a_program_may_be_freed_while_it_runs(void) {
  static double a[1 << 16];
  const int64_t shape[2] = {1 << 9, 1 << 16}, strides[2] = {0, 8};
  engine_operand operand = array(a, ENGINE_FLOAT64, 2, shape);
  engine_run_options options = {.size = sizeof options};
  engine_program *program = compile("sum(sin(a)*cos(a))"), *held = program;
  double sum = 1;
  const engine_array out = array(&sum, ENGINE_FLOAT64, 0, NULL).value.array;
  operand.value.array.strides = strides;
  options.threads = 1;
  options.interrupted = frees;
  options.interrupted_context = &held;
  CHECK(engine_run(program, &operand, 1, &out, &options, NULL) == ENGINE_OK && sum == 0);
  CHECK(held == NULL);
  CHECK(engine_program_free(program) == ENGINE_BAD_ARGUMENT);
}

/* Runs that are given a graph launch kernels of a device: tests/kernels_cuda/c_device_test.py. */
static void a_graph_is_of_a_device_and_freed_once(void) {
  double a[3] = {1, 2, 3}, sum = -1;
  engine_operand operand = array(a, ENGINE_FLOAT64, 1, three);
  const engine_array out = array(&sum, ENGINE_FLOAT64, 0, NULL).value.array;
  engine_run_options options = {.size = sizeof options};
  engine_graph_stats stats = {.size = sizeof stats, .kernels = 9};
  engine_program *program = compile("sum(a)");
  engine_graph *graph = NULL;
  CHECK(engine_graph_create(NULL) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_graph_create(&graph) == ENGINE_OK && graph != NULL);
  CHECK(engine_graph_info(graph, &stats) == ENGINE_OK && stats.size == sizeof stats && stats.kernels + stats.captures + stats.replays == 0);
  CHECK(engine_graph_info(graph, NULL) == ENGINE_BAD_ARGUMENT);
  stats.size = 8;
  CHECK(engine_graph_info(graph, &stats) == ENGINE_BAD_ARGUMENT);
  options.graph = graph;
  CHECK(engine_run(program, &operand, 1, &out, &options, NULL) == ENGINE_BACKEND_ERROR && sum == -1);
  CHECK(engine_graph_free(graph) == ENGINE_OK);
  CHECK(engine_graph_free(graph) == ENGINE_BAD_ARGUMENT && engine_graph_free(NULL) == ENGINE_OK);
  CHECK(engine_run(program, &operand, 1, &out, &options, NULL) == ENGINE_BAD_ARGUMENT && sum == -1);
  options.graph = (engine_graph *)program; /* another kind of handle */
  CHECK(engine_run(program, &operand, 1, &out, &options, NULL) == ENGINE_BAD_ARGUMENT && sum == -1);
  engine_program_free(program);
}

static int counted;
static int count_steps(void *context, int64_t step, const engine_array *fields, size_t n_fields) {
  CHECK(n_fields == 1 && fields[0].ndim == 1 && fields[0].dtype == ENGINE_FLOAT64 && (fields[0].flags & ENGINE_READONLY));
  counted = (int)step;
  return step >= *(int *)context;
}

static void stencils_make_their_steps(void) {
  engine_stencil *stencil = NULL;
  int32_t wrap[2] = {ENGINE_BOUNDARY_WRAP, ENGINE_BOUNDARY_WRAP}, wrong[2] = {ENGINE_BOUNDARY_WRAP, 9};
  engine_beyond beyond = {.sides = wrap, .n_axes = 1};
  CHECK(engine_compile_stencil("u += k*(u[-1] + u(i+1) - 2*u)", ENGINE_TERMINATED, &beyond, 1, NULL, &stencil) == ENGINE_OK);
  CHECK(engine_stencil_n_names(stencil) == 2);
  CHECK(strcmp(engine_stencil_name(stencil, 0)->name, "u") == 0 && engine_stencil_name(stencil, 0)->written == 1);
  CHECK(engine_stencil_name(stencil, 1)->written == 0 && engine_stencil_name(stencil, 2) == NULL);
  double u[4] = {0, 0, 8, 0}, new_u[4], wanted[4] = {1, 2, 3, 2};
  int64_t shape[1] = {4}, made = -1;
  engine_operand operands[2] = {{ENGINE_OPERAND_ARRAY, 0, {{0}}}, {ENGINE_OPERAND_FLOAT, 0, {{0}}}};
  operands[0].value.array = (engine_array){.data = u, .dtype = ENGINE_FLOAT64, .ndim = 1, .shape = shape};
  operands[1].value.f = 0.25;
  engine_array out = {.data = new_u, .dtype = ENGINE_FLOAT64, .ndim = 1, .shape = shape};
  engine_steps steps = {.size = sizeof steps, .steps = 2};
  CHECK(engine_stencil_run(stencil, operands, 2, &out, 1, &steps, &made) == ENGINE_OK && made == 2);
  CHECK(memcmp(new_u, wanted, sizeof wanted) == 0 && u[2] == 8);

  steps = (engine_steps){.size = sizeof steps, .steps = 1000, .until = "max(abs(u - u_old)) < 1e-3", .every = 10};
  CHECK(engine_stencil_run(stencil, operands, 2, &out, 1, &steps, &made) == ENGINE_OK && made < 1000 && made % 10 == 0);
  int last = 3;
  steps = (engine_steps){.size = sizeof steps, .steps = 1000, .stepped = count_steps, .stepped_context = &last};
  CHECK(engine_stencil_run(stencil, operands, 2, &out, 1, &steps, &made) == ENGINE_INTERRUPTED && counted == 3);

  out.data = u; /* the field itself */
  CHECK(engine_stencil_run(stencil, operands, 2, &out, 1, NULL, NULL) == ENGINE_OK && u[1] == 2 && u[2] == 4);

  CHECK(engine_stencil_run(stencil, operands, 2, NULL, 1, NULL, NULL) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_stencil_run(stencil, operands, 2, &out, 0, NULL, NULL) == ENGINE_SHAPE_ERROR);
  CHECK(engine_stencil_run(stencil, operands, 1, &out, 1, NULL, NULL) == ENGINE_BAD_ARGUMENT);
  out.dtype = ENGINE_FLOAT32;
  CHECK(engine_stencil_run(stencil, operands, 2, &out, 1, NULL, NULL) == ENGINE_SHAPE_ERROR);
  steps = (engine_steps){.size = sizeof steps, .steps = -1};
  CHECK(engine_stencil_run(stencil, operands, 2, &out, 1, &steps, NULL) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_stencil_free(stencil) == ENGINE_OK && engine_stencil_free(stencil) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_stencil_n_names(stencil) == 0 && engine_stencil_free(NULL) == ENGINE_OK);

  beyond.sides = wrong;
  CHECK(engine_compile_stencil("u[1]", ENGINE_TERMINATED, &beyond, 1, NULL, &stencil) == ENGINE_BAD_ARGUMENT && stencil == NULL);
  CHECK(engine_compile_stencil("u[1]", ENGINE_TERMINATED, NULL, 1, NULL, &stencil) == ENGINE_BAD_ARGUMENT);
  CHECK(engine_compile_stencil("u[1", ENGINE_TERMINATED, NULL, 0, NULL, &stencil) == ENGINE_PARSE_ERROR);
  CHECK(engine_compile_stencil("u[1]", ENGINE_TERMINATED, NULL, 0, NULL, NULL) == ENGINE_BAD_ARGUMENT);
}

int main(void) {
  stencils_make_their_steps();
  computes_into_the_callers_array();
  gives_a_result_that_owns_its_memory();
  gives_the_order_that_is_asked_for();
  takes_numbers_of_every_kind();
  takes_any_strides_and_either_byte_order();
  writes_in_place_and_gives_the_region_that_was_written();
  out_may_overlap_its_operands();
  handles_arrays_without_axes_and_without_elements();
  text_may_hold_anything_up_to_its_length();
  describes_names();
  operands_may_be_left_out_for_constants_alone();
  memory_may_come_from_the_caller();
  a_callback_stops_a_long_run();
  limits_hold();
  options_mean_what_they_say();
  structs_of_a_later_version_are_taken_while_they_ask_for_nothing_new();
  errors_point_at_the_text();
  every_class_has_its_code();
  the_last_error_is_the_threads_own();
  null_pointers_are_refused();
  handles_are_good_once();
  descriptors_that_cannot_be_are_refused();
  what_is_read_only_is_not_written();
  out_must_have_the_results_shape();
  words_that_mean_nothing_are_refused();
  operands_are_given_once();
  results_beyond_memory_are_an_error();
  texts_are_cut_to_the_buffer();
  tables_are_whole();
  the_last_run_is_described();
  the_number_of_threads_is_settable();
  programs_and_results_serve_many_threads();
  a_program_may_be_freed_while_it_runs();
  a_graph_is_of_a_device_and_freed_once();
  printf("%d claims failed\n", failures);
  return failures != 0;
}
