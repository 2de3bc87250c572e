/* What a C user writes first: an expression over arrays of their own, an error with its caret. */
#include <engine/engine.h>
#include <stdio.h>
#include <string.h>

static int fail(void) {
  fprintf(stderr, "%s: %s\n", engine_code_name(engine_last_error()->code), engine_last_error()->message);
  return 1;
}

int main(void) {
  double a[3] = {1, 2, 3}, b[3] = {10, 20, 30}, d[3];
  const int64_t shape[1] = {3};
  const engine_array out = {.data = d, .dtype = ENGINE_FLOAT64, .ndim = 1, .shape = shape};
  engine_operand operands[2] = {{.kind = ENGINE_OPERAND_ARRAY}, {.kind = ENGINE_OPERAND_ARRAY}};
  engine_program *program;
  size_t i;

  if (engine_compile("2*a + b", ENGINE_TERMINATED, NULL, &program)) return fail();
  for (i = 0; i < engine_program_n_names(program); ++i) {
    double *data = strcmp(engine_program_name(program, i)->name, "a") == 0 ? a : b;
    operands[i].value.array = (engine_array){.data = data, .dtype = ENGINE_FLOAT64, .ndim = 1, .shape = shape};
  }
  if (engine_run(program, operands, 2, &out, NULL, NULL)) return fail();
  if (engine_program_free(program)) return fail();
  printf("%s %g %g %g\n", engine_version(), d[0], d[1], d[2]);

  if (engine_compile("2*(a", ENGINE_TERMINATED, NULL, &program) != ENGINE_PARSE_ERROR) return 2;
  printf("%s\n", engine_last_error()->message);
  return d[0] == 12 && d[1] == 24 && d[2] == 36 ? 0 : 1;
}
