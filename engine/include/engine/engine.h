/* engine/engine.h - the C interface, for C99 and whatever can call C (ctypes, Fortran's iso_c_binding, …).
 *
 *     engine_program *program;
 *     if (engine_compile("2*a + b", ENGINE_TERMINATED, NULL, &program)) { puts(engine_last_error()->message); return 1; }
 *     int64_t shape[1] = {3};
 *     engine_operand operands[2] = {{ENGINE_OPERAND_ARRAY}, {ENGINE_OPERAND_ARRAY}};  // operands[i]: engine_program_name(program, i)
 *     operands[0].value.array = (engine_array){.data = a, .dtype = ENGINE_FLOAT64, .ndim = 1, .shape = shape};
 *     operands[1].value.array = (engine_array){.data = b, .dtype = ENGINE_FLOAT64, .ndim = 1, .shape = shape};
 *     engine_array out = {.data = d, .dtype = ENGINE_FLOAT64, .ndim = 1, .shape = shape};
 *     if (engine_run(program, operands, 2, &out, NULL, NULL)) { puts(engine_last_error()->message); return 1; }
 *     engine_program_free(program);
 *
 * Errors.    Functions that can fail give an engine_code: 0, or what went wrong. engine_last_error() says more. No call
 *            ends the process, prints, or lets a C++ exception out. Where a code is given back, nothing was made, and out
 *            and operands are as they were, except after ENGINE_INTERRUPTED and the limit of seconds.
 * Threads.   Every function may be called from any thread at any time; one program may run in many threads at once. The
 *            last error and the last run are those of the calling thread.
 * Ownership. What a function takes by pointer is read during the call and not kept; arrays stay the caller's. Programs and
 *            results are the caller's to free, each once. They are handles, not addresses: a handle that was freed already
 *            or never was one is answered by ENGINE_BAD_ARGUMENT. Strings and structs that are given back by pointer belong
 *            to the library, for the time that stands at the function.
 * Callbacks. They return: they neither throw, nor jump, nor end their thread.
 * Growth.    Numbers and fields keep their meaning. Structs that the library gives by pointer may get fields at the end.
 *            Structs that the caller makes and that may grow begin with their size; zero in a field is its default.
 *            Check addresses yourself: an array must have memory where its shape and strides say.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ENGINE_C_API __attribute__((visibility("default")))
#else
#define ENGINE_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- codes ----------------------------------------------------------------------------------------------------------- */

typedef int32_t engine_code;

enum {
  ENGINE_OK = 0,
  ENGINE_PARSE_ERROR = 1,   /* the text */
  ENGINE_UNKNOWN_NAME = 2,  /* no operand or function of that name */
  ENGINE_DTYPE_ERROR = 3,   /* no such dtype, types that do not combine, a cast that is forbidden */
  ENGINE_SHAPE_ERROR = 4,   /* broadcasting, axes, extents and strides, shape of out, writing into what is read-only */
  ENGINE_RANGE_ERROR = 5,   /* a literal that does not fit, negative integer power, zero division among literals */
  ENGINE_LIMIT_ERROR = 6,   /* a budget of engine_options was exceeded */
  ENGINE_BACKEND_ERROR = 7, /* backend or device not usable, and why */
  ENGINE_OUT_OF_MEMORY = 8,
  ENGINE_INTERNAL_ERROR = 9, /* a defect of the library: please report it */
  ENGINE_BAD_ARGUMENT = 10,  /* the call itself: a null pointer, a freed handle, a struct's size, an unknown flag or word */
  ENGINE_INTERRUPTED = 11    /* engine_run_options.interrupted said so; what had been written stays written */
};

/* "ShapeError" for ENGINE_SHAPE_ERROR; "" for 0, NULL for numbers that are no code. Static. */
ENGINE_C_API const char *engine_code_name(engine_code code);

/* A remark on the bytes [begin, end) of the text. */
typedef struct engine_span {
  uint32_t begin, end;
  const char *label;
} engine_span;

typedef struct engine_error {
  engine_code code;
  uint32_t n_spans;
  const char *message; /* all of it as it is shown: what, the text with carets and labels, help */
  const char *what;    /* one line */
  const char *help;    /* how to mend it; may be empty */
  const char *text;    /* the expression the spans point into, which may hold zeros; may be empty */
  size_t text_length;
  const engine_span *spans; /* the first is the main one */
} engine_error;

/* How this thread's last call of a function that gives an engine_code ended, or of one that gave NULL or 0 for a bad
 * argument. Never NULL; its strings are never NULL. Valid until the thread's next call of such a function, or its end; a
 * free that succeeds leaves it, so that a collector of garbage may run between a call and this one. */
ENGINE_C_API const engine_error *engine_last_error(void);

/* ---- arrays ---------------------------------------------------------------------------------------------------------- */

enum {
  ENGINE_BOOL = 0,
  ENGINE_INT8 = 1,
  ENGINE_UINT8 = 2,
  ENGINE_INT16 = 3,
  ENGINE_UINT16 = 4,
  ENGINE_INT32 = 5,
  ENGINE_UINT32 = 6,
  ENGINE_INT64 = 7,
  ENGINE_UINT64 = 8,
  ENGINE_FLOAT16 = 9,
  ENGINE_FLOAT32 = 10,
  ENGINE_FLOAT64 = 11,
  ENGINE_COMPLEX64 = 12, /* two floats, two doubles: real, imaginary */
  ENGINE_COMPLEX128 = 13
};

/* NumPy's name of a dtype, and the bytes of an element; NULL and 0 where there is none of that number. Static. */
ENGINE_C_API const char *engine_dtype_name(int32_t dtype);
ENGINE_C_API size_t engine_dtype_size(int32_t dtype);

enum { ENGINE_MAX_NDIM = 32 };

/* Where the memory is: the host, or CUDA device n. */
enum { ENGINE_HOST = 0 };
#define ENGINE_CUDA_DEVICE(n) ((n) + 1)

enum {
  ENGINE_READONLY = 1, /* must not be written: as a target or out it is ENGINE_SHAPE_ERROR */
  ENGINE_SWAPPED = 2   /* elements are in the byte order that is not this machine's */
};

/* A strided array in the caller's memory. Any strides (of any sign, zero too) and any alignment will do. This struct does
 * not grow. */
typedef struct engine_array {
  void *data;             /* element (0, …, 0); may be NULL where there are no elements */
  int32_t dtype;          /* ENGINE_FLOAT64, … */
  int32_t ndim;           /* 0 to ENGINE_MAX_NDIM */
  const int64_t *shape;   /* ndim extents; may be NULL where ndim is 0 */
  const int64_t *strides; /* ndim distances between neighbours, in bytes; NULL: C order without gaps */
  int32_t device;         /* ENGINE_HOST, or ENGINE_CUDA_DEVICE(n) */
  uint32_t flags;         /* ENGINE_READONLY | ENGINE_SWAPPED */
} engine_array;

enum {
  ENGINE_OPERAND_ABSENT = 0, /* not given: an ENGINE_UNKNOWN_NAME, but for the names pi, e, inf, nan */
  ENGINE_OPERAND_ARRAY = 1,
  /* Numbers as in Python: their dtype yields to that of the array they meet (NEP 50). A number of a certain dtype is an
   * array of ndim 0. Integers and bools take part in making the plan: up to 64 values of each are kept per program. */
  ENGINE_OPERAND_BOOL = 2,   /* value.i, 0 or 1 */
  ENGINE_OPERAND_INT = 3,    /* value.i */
  ENGINE_OPERAND_UINT = 4,   /* value.u */
  ENGINE_OPERAND_FLOAT = 5,  /* value.f */
  ENGINE_OPERAND_COMPLEX = 6 /* value.c: real, imaginary */
};

typedef struct engine_operand {
  int32_t kind;     /* ENGINE_OPERAND_ARRAY, … */
  int32_t reserved; /* 0 */
  union {
    engine_array array;
    int64_t i;
    uint64_t u;
    double f;
    double c[2];
  } value;
} engine_operand;

/* ---- programs -------------------------------------------------------------------------------------------------------- */

/* NumPy's casting rules. */
enum { ENGINE_CASTING_SAME_KIND = 0, ENGINE_CASTING_NO = 1, ENGINE_CASTING_EQUIV = 2, ENGINE_CASTING_SAFE = 3, ENGINE_CASTING_UNSAFE = 4 };
enum { ENGINE_EXACTNESS_STRICT = 0, ENGINE_EXACTNESS_RELAXED = 1 }; /* NumPy's bits; or within the stated error */
enum { ENGINE_BACKEND_AUTO = 0, ENGINE_BACKEND_INTERP = 1, ENGINE_BACKEND_JIT = 2, ENGINE_BACKEND_CUDA = 3 };
enum { ENGINE_ORDER_K = 0, ENGINE_ORDER_C = 1, ENGINE_ORDER_F = 2, ENGINE_ORDER_A = 3 }; /* memory order of a fresh result */

/* How an expression is compiled: engine_options options = {.size = sizeof options}; and the fields that matter. */
typedef struct engine_options {
  size_t size;          /* sizeof(engine_options) */
  int32_t casting;      /* what may be written into out and targets */
  int32_t exactness;    /* NumPy's bits, or not */
  int32_t backend;      /* where to run */
  int32_t blitz;        /* 1: `name = …` writes into the operand of that name */
  uint32_t depth;       /* limits; 0 is the default of each: nesting, 256 (at most 2,000); */
  uint32_t nodes;       /*   nodes of the syntax tree, 100,000; */
  uint32_t names;       /*   distinct names, 4,096; */
  uint32_t reserved;    /*   0 */
  int64_t result_bytes; /*   bytes of the result, no limit; */
  double seconds;       /*   for preparing and for running, no limit */
} engine_options;

/* An expression made ready for any operands. */
typedef struct engine_program engine_program;

/* As length: the text ends at its first zero. */
#define ENGINE_TERMINATED ((size_t)-1)

/* Parses `length` bytes of text, UTF-8. options may be NULL. *program is NULL unless ENGINE_OK is given back.
 * ENGINE_PARSE_ERROR, ENGINE_UNKNOWN_NAME (of a function), ENGINE_LIMIT_ERROR, ENGINE_BACKEND_ERROR. */
ENGINE_C_API engine_code engine_compile(const char *text, size_t length, const engine_options *options, engine_program **program);

/* NULL is fine. Runs of it in other threads go on undisturbed. */
ENGINE_C_API engine_code engine_program_free(engine_program *program);

/* A name that the text uses from outside. */
typedef struct engine_name {
  const char *name;
  int32_t required;    /* 0: pi, e, inf, nan, which have a meaning of their own */
  int32_t written;     /* 1: the program writes into the operand of that name */
  uint32_t begin, end; /* where it first stands in the text */
} engine_name;

/* The names, in order of first appearance: operands are given in this order. Valid until the program is freed.
 * 0 and NULL where the program is none, or has no name of that index. */
ENGINE_C_API size_t engine_program_n_names(const engine_program *program);
ENGINE_C_API const engine_name *engine_program_name(const engine_program *program, size_t index);

/* ---- running --------------------------------------------------------------------------------------------------------- */

/* The kernels that runs over arrays of a CUDA device launch, kept as one CUDA graph. */
typedef struct engine_graph engine_graph;

typedef struct engine_run_options {
  size_t size;     /* sizeof(engine_run_options) */
  int32_t order;   /* memory order of a fresh result */
  int32_t threads; /* at most so many; 0: engine_num_threads() */
  /* Memory for a fresh result of that dtype, shape and byte strides, aligned for its dtype; NULL says there is none. Called
   * at most once a run, before anything is computed. What it gave stays the caller's, also when the run fails. */
  void *(*allocate)(void *context, int32_t dtype, int32_t ndim, const int64_t *shape, const int64_t *strides, size_t n_bytes);
  void *allocate_context;
  /* Asked by the calling thread every 20 ms or so while it computes: not 0 stops it. */
  int (*interrupted)(void *context);
  void *interrupted_context;
  engine_graph *graph; /* NULL: none. See engine_graph_create */
} engine_run_options;

/* The value of a run: an array, with its memory where the library allocated it. */
typedef struct engine_result engine_result;

/* Computes. operands[i] belongs to engine_program_name(program, i), and n_operands is engine_program_n_names(program).
 *
 * The value goes into `out` where there is one: an array of the result's shape, which may overlap operands in any way.
 * Otherwise into memory from options->allocate; otherwise into memory that *result owns. An assignment in place, as in
 * "b[1:] = a", is a value in the operand's own memory; `out` must be NULL then.
 *
 * result may be NULL where one of the others says where the value goes. *result, to be freed by engine_result_free, is
 * NULL unless ENGINE_OK is given back. */
ENGINE_C_API engine_code engine_run(const engine_program *program, const engine_operand *operands, size_t n_operands,
                                    const engine_array *out, const engine_run_options *options, engine_result **result);

/* engine_compile and engine_run in one, for what is computed once: operands[i] belongs to names[i], in any order; names that
 * the text does not use are passed over. */
ENGINE_C_API engine_code engine_evaluate(const char *text, size_t length, const char *const *names, const engine_operand *operands,
                                         size_t n_operands, const engine_array *out, const engine_options *options,
                                         const engine_run_options *run_options, engine_result **result);

/* Describes the value. data, shape and strides are valid until the result is freed; data that is the caller's - in out, in
 * an operand, from allocate - is the caller's to keep. */
ENGINE_C_API engine_code engine_result_array(const engine_result *result, engine_array *array);

/* NULL is fine. */
ENGINE_C_API engine_code engine_result_free(engine_result *result);

/* ---- stencils -------------------------------------------------------------------------------------------------------- */

/* What a read at an offset finds beyond a side of an axis, of (a b c d): SciPy's words and index meaning. */
enum {
  ENGINE_BOUNDARY_REFLECT = 0,  /* (d c b a | a b c d | d c b a) */
  ENGINE_BOUNDARY_MIRROR = 1,   /* (d c b | a b c d | c b a) */
  ENGINE_BOUNDARY_NEAREST = 2,  /* (a a a | a b c d | d d d) */
  ENGINE_BOUNDARY_WRAP = 3,     /* (a b c d | a b c d | a b c d) */
  ENGINE_BOUNDARY_CONSTANT = 4, /* (v v v | a b c d | v v v) */
  ENGINE_BOUNDARY_VALID = 5,    /* nothing: the new values lack the elements that would read there */
  ENGINE_BOUNDARY_KEEP = 6      /* nothing: those elements keep the value they have */
};

/* What lies beyond a field. This struct does not grow. */
typedef struct engine_beyond {
  const char *field;    /* its name; NULL: of all that have none of their own */
  const int32_t *sides; /* 2 * n_axes boundaries: of the low and the high side of axis 0, of axis 1, …; NULL where n_axes is 0 */
  int32_t n_axes;       /* 1: the same for all axes; 0: ENGINE_BOUNDARY_REFLECT */
  int32_t reserved;     /* 0 */
  double cval[2];       /* v above: real, imaginary; it must fit the field's dtype */
} engine_beyond;

/* A text in which subscripts are offsets from the element that is made, as "u += k*(u[-1] + u[1] - 2*u)"; u(i-1) is u[-1]. All
 * statements read what the fields were before. An assigned name that is given is a field, another one a part of the text; a
 * bare expression is the new value of the one field that it reads at offsets. */
typedef struct engine_stencil engine_stencil;

/* As engine_compile; beyond may be NULL where n_beyond is 0: reflect. */
ENGINE_C_API engine_code engine_compile_stencil(const char *text, size_t length, const engine_beyond *beyond, size_t n_beyond,
                                                const engine_options *options, engine_stencil **stencil);
ENGINE_C_API engine_code engine_stencil_free(engine_stencil *stencil);
/* As those of programs; `required` is 0 where the text assigns the name before it reads it, `written` is 1 where it assigns it. */
ENGINE_C_API size_t engine_stencil_n_names(const engine_stencil *stencil);
ENGINE_C_API const engine_name *engine_stencil_name(const engine_stencil *stencil, size_t index);

typedef struct engine_steps {
  size_t size;       /* sizeof(engine_steps) */
  int64_t steps;     /* how many; 0: one */
  const char *until; /* an expression over the fields, what they were a step before (u_old), and the operands: true ends the steps */
  int64_t every;     /* `until` and `stepped` are asked after so many; 0: each */
  int32_t threads;   /* at most so many; 0: engine_num_threads() */
  int32_t reserved;  /* 0 */
  /* Told the fields as they are after `step` steps: not 0 ends them with ENGINE_INTERRUPTED. The arrays are valid in it alone. */
  int (*stepped)(void *context, int64_t step, const engine_array *fields, size_t n_fields);
  void *stepped_context;
  int (*interrupted)(void *context); /* as of engine_run_options */
  void *interrupted_context;
} engine_steps;

/* Makes the steps. operands[i] belongs to engine_stencil_name(stencil, i); outs, to the fields that are updated, in the order
 * of the statements: of the field's dtype, and of its shape less what ENGINE_BOUNDARY_VALID leaves out. They may be the fields
 * themselves. steps may be NULL: one. *n_made, where not NULL, is how many were made. After ENGINE_INTERRUPTED, and the limit
 * of seconds, outs hold nothing of use. */
ENGINE_C_API engine_code engine_stencil_run(const engine_stencil *stencil, const engine_operand *operands, size_t n_operands,
                                            const engine_array *outs, size_t n_outs, const engine_steps *steps, int64_t *n_made);

/* ---- memory of a GPU ------------------------------------------------------------------------------------------------- */

/* Arrays whose `device` is ENGINE_CUDA_DEVICE(n) show memory of that CUDA device, of whatever library. A run over such arrays
 * takes place there, in the order of what was asked for before, and returns before it is done; all of its arrays must be there,
 * but for numbers and host arrays of ndim 0 that are only read. Its value is there too, in memory that *result owns (`allocate`
 * is not asked). `device` below is ENGINE_CUDA_DEVICE(n); ENGINE_BACKEND_ERROR where there is no such device. */

/* Aligned to 512 bytes, the values not set. *data is NULL unless ENGINE_OK is given back. NULL may be freed. */
ENGINE_C_API engine_code engine_device_allocate(int32_t device, size_t n_bytes, void **data);
ENGINE_C_API engine_code engine_device_free(void *data);

/* Copy after all that was asked of the device before, and wait. Failures of that work are given back here, too. */
ENGINE_C_API engine_code engine_copy_to_device(int32_t device, void *to, const void *from, size_t n_bytes);
ENGINE_C_API engine_code engine_copy_to_host(int32_t device, void *to, const void *from, size_t n_bytes);

/* Whose memory it is: ENGINE_CUDA_DEVICE(n), or ENGINE_HOST where it is no device's. */
ENGINE_C_API engine_code engine_device_of(const void *data, int32_t *device);

/* The CUstream of the engine's work, which keeps order with the legacy default stream by itself; work asked for from now on
 * waits for what another stream was given so far; work on another stream waits for the engine's. */
ENGINE_C_API engine_code engine_stream_of(int32_t device, void **stream);
ENGINE_C_API engine_code engine_start_after(int32_t device, void *stream);
ENGINE_C_API engine_code engine_make_wait(int32_t device, void *stream);

/* For who runs a program of many small kernels again and again: the first run that is given the graph captures its kernels, and every
 * run launches them at once, with its own addresses and numbers; where its kernels are other ones, it captures anew. The same bits as
 * without. ENGINE_BACKEND_ERROR, with nothing written, where the arrays are the host's, or the program reads values between its
 * kernels. Threads use a graph in turns; it keeps the memory of temporaries until it is freed. *graph is NULL unless ENGINE_OK is given
 * back. NULL may be freed. */
ENGINE_C_API engine_code engine_graph_create(engine_graph **graph);
ENGINE_C_API engine_code engine_graph_free(engine_graph *graph);

/* What became of the runs that were given a graph. */
typedef struct engine_graph_stats {
  size_t size;       /* sizeof(engine_graph_stats), set by the caller */
  uint64_t kernels;  /* that the graph has now */
  uint64_t captures; /* runs that made it anew */
  uint64_t updates;  /* that had its kernels take other addresses or numbers */
  uint64_t replays;  /* that launched it */
} engine_graph_stats;
ENGINE_C_API engine_code engine_graph_info(const engine_graph *graph, engine_graph_stats *stats);

/* Gives idle memory back to the system, and that of devices to their drivers. How many bytes. */
ENGINE_C_API size_t engine_trim(void);

/* What this thread's last run did. */
typedef struct engine_run_info {
  size_t size;      /* sizeof(engine_run_info), set by the caller */
  uint64_t runs;    /* of this thread so far; 0: there was none, and the rest means nothing */
  int32_t compiled; /* 1: a plan had to be made */
  int32_t threads;
  double seconds; /* of the kernels; -1 where there was too little to do for a clock */
  uint64_t kernels, operations, bytes_read, bytes_written, copies, bytes_copied;
  int32_t backend; /* that ran it: ENGINE_BACKEND_INTERP, … */
  int32_t reserved;
} engine_run_info;
ENGINE_C_API engine_code engine_last_run(engine_run_info *info);

/* ---- texts: written into the caller's buffer as by snprintf -------------------------------------------------------------
 * At most `capacity` bytes with the closing zero; *length, where not NULL, is the length of the whole text without it, so
 * there was room for all if it is below capacity. buffer may be NULL where capacity is 0. */

enum { ENGINE_TEXT = 0, ENGINE_JSON = 1 };

/* The plan for operands like these, in words or as a JSON object. Computes and writes nothing. */
ENGINE_C_API engine_code engine_explain(const engine_program *program, const engine_operand *operands, size_t n_operands, int32_t order,
                                        int32_t format, char *buffer, size_t capacity, size_t *length);

/* The derivative of an expression with respect to `wrt`, as a text in the same language. */
ENGINE_C_API engine_code engine_gradient(const char *text, size_t text_length, const char *wrt, char *buffer, size_t capacity,
                                         size_t *length);

/* ---- the library ----------------------------------------------------------------------------------------------------- */

/* "0.1.0"; what built it; what its kernels use here: "avx512", "avx2", "generic". Static. */
ENGINE_C_API const char *engine_version(void);
ENGINE_C_API const char *engine_compiler(void);
ENGINE_C_API const char *engine_instruction_set(void);

/* Raised when something of this header is lost or changes its meaning, not when something is added. */
#define ENGINE_ABI_VERSION 1
ENGINE_C_API int32_t engine_abi_version(void);

/* Threads a run may use where its options say 0: what was set, else ENGINE_NUM_THREADS, else the CPUs this process may use.
 * Setting 0 goes back to the default. Results are the same bits for any number. */
ENGINE_C_API int32_t engine_num_threads(void);
ENGINE_C_API engine_code engine_set_num_threads(int32_t n);

/* A row of the catalog: functions, reductions, operations along an axis, casts, constants. */
typedef struct engine_function {
  const char *name;      /* "hypot" */
  const char *arguments; /* "x, y" */
  const char *sentence;
  const char *oracle; /* NumPy's name: "hypot", "scipy.special.erf"; empty where it has none */
  const char *kind;   /* "elementwise", "reduction", "ordered" (along an axis), "cast", "constant" */
  double ulp;         /* largest error against NumPy in units in the last place; 0: the same bits */
  double low, high;   /* the range of arguments over which that is tested */
} engine_function;
ENGINE_C_API size_t engine_n_functions(void);
ENGINE_C_API const engine_function *engine_function_at(size_t index); /* NULL beyond the last. Static. */

typedef struct engine_backend {
  const char *name;
  int32_t usable;
  const char *reason; /* why, or why not */
} engine_backend;
ENGINE_C_API size_t engine_n_backends(void);
ENGINE_C_API const engine_backend *engine_backend_at(size_t index); /* NULL beyond the last. Static. */

#ifdef __cplusplus
}
#endif

#endif
