/* Layers of a plan on batches in host memory.

   Every function does a part of a job: the bytes from `first` to `last` of every row. Parts do not depend on each other,
   so that several threads may do one each. Results are those of the functions in NumPy, bit for bit: products and sums
   are rounded one by one (-ffp-contract=off), weights of 0 and 1 select, integers are blended in steps of 1/65536 and
   rounded half to even. Nothing here checks its arguments: whoever calls has done so.

   There is no header of Python, NumPy or torch: memory comes in as addresses. */

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "Products and sums would be kept in more digits than their type has."
#endif
#if defined(_MSC_VER)
#pragma fp_contract(off)
#endif

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define WIDE_LOOPS 1
#endif

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* What this was built from, by setup.py: it is used beside these sources alone. */
#ifndef MIXTRANSFORMS_SOURCES
#define MIXTRANSFORMS_SOURCES 0u
#endif
EXPORT const uint32_t mixtransforms_sources = MIXTRANSFORMS_SOURCES;

#define STEPS 65536
#define MOST_AXES 8

enum { FLOAT32, FLOAT64, FLOAT16, BFLOAT16, UINT8, UINT16, INT16, BYTES };

typedef struct {
  uint8_t *out;             /* rows that are written, dense, `bytes` each */
  const uint8_t *given;     /* rows that are read, alike; `out` itself to paint in place */
  const uint8_t **samples;  /* rows that were never stacked, in the place of `given`; or NULL */
  const int64_t *rows;      /* of the layer, (count,): which rows are painted, each once */
  const int64_t *source;    /* ... with which others */
  const double *opacity;    /* ... and how much of these shows */
  const int64_t *start;     /* boxes, (count, axes); NULL where whole rows are painted */
  const int64_t *stop;
  const int64_t *lengths;   /* of the axes of one row, (rank,) */
  const int64_t *places;    /* of the axes that boxes have, (axes,) */
  int32_t *work;            /* 3 * size numbers, of this thread alone */
  uint8_t *scratch;         /* in place: one row; parts use theirs alone */
  int64_t size, count, bytes, item, rank, axes, dtype, first, last;
} Job;

/* ------------------------------------------------------------------------------------------ numbers */

static inline float widened_bfloat(uint16_t value) {
  uint32_t bits = (uint32_t)value << 16;
  float number;
  memcpy(&number, &bits, 4);
  return number;
}

static inline uint16_t bfloat_of(float number) {
  uint32_t bits;
  memcpy(&bits, &number, 4);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded); /* no jump: loops have many at once */
}

static inline float widened_half(uint16_t value) {
  uint32_t sign = (uint32_t)(value & 0x8000u) << 16, rest = value & 0x7fffu, bits;
  float number;
  if (rest >= 0x7c00u) {
    bits = sign | 0x7f800000u | ((rest & 0x3ffu) << 13);
  } else if (rest >= 0x400u) {
    bits = sign | ((rest << 13) + ((127u - 15u) << 23));
  } else { /* below the normal numbers: a count of 2^-24, which float32 holds */
    number = (float)rest * 5.9604644775390625e-8f;
    memcpy(&bits, &number, 4);
    bits |= sign;
  }
  memcpy(&number, &bits, 4);
  return number;
}

static inline uint16_t half_of(float number) {
  uint32_t bits, sign;
  memcpy(&bits, &number, 4);
  sign = (bits >> 16) & 0x8000u;
  bits &= 0x7fffffffu;
  if (bits > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (bits >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* 65520 and above round to infinity */
  if (bits < 0x38800000u) { /* to a multiple of 2^-24: the addition rounds, half to even */
    float magnitude;
    memcpy(&magnitude, &bits, 4);
    magnitude += 0.5f;
    memcpy(&bits, &magnitude, 4);
    return (uint16_t)(sign | (bits - 0x3f000000u));
  }
  bits += 0xfffu + ((bits >> 13) & 1u);
  return (uint16_t)(sign | ((bits - 0x38000000u) >> 13));
}

/* ------------------------------------------------------------------------------------------ blends of n numbers */

/* `out` may be one of the operands, whose numbers are then read before they are written. */
#if defined(__GNUC__) && !defined(__clang__)
#define INDEPENDENT _Pragma("GCC ivdep")
#elif defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT
#endif

/* The same loop for processors that work on 32 bytes at once, where there are such, and for all. */
#ifdef WIDE_LOOPS
#define IN_BOTH_WIDTHS(NAME, TYPE)                                                                                     \
  __attribute__((target("avx2"))) static void NAME##_wide(TYPE *out, const TYPE *base, const TYPE *other,              \
                                                          double share, int64_t n) {                                   \
    NAME##_each(out, base, other, share, n);                                                                           \
  }                                                                                                                    \
  static void NAME(TYPE *out, const TYPE *base, const TYPE *other, double share, int64_t n) {                          \
    if (__builtin_cpu_supports("avx2"))                                                                                \
      NAME##_wide(out, base, other, share, n);                                                                         \
    else                                                                                                               \
      NAME##_each(out, base, other, share, n);                                                                         \
  }
#else
#define IN_BOTH_WIDTHS(NAME, TYPE)                                                                                     \
  static void NAME(TYPE *out, const TYPE *base, const TYPE *other, double share, int64_t n) {                          \
    NAME##_each(out, base, other, share, n);                                                                           \
  }
#endif

#define BLEND_FLOATS(NAME, TYPE)                                                                                       \
  static void NAME(TYPE *out, const TYPE *base, const TYPE *other, double share, int64_t n) {                          \
    const TYPE keep = (TYPE)(1.0 - share), give = (TYPE)share;                                                         \
    INDEPENDENT                                                                                                        \
    for (int64_t i = 0; i < n; i++) out[i] = base[i] * keep + other[i] * give;                                         \
  }

#define BLEND_HALVES(NAME, WIDE, NARROW)                                                                               \
  static inline __attribute__((always_inline)) void NAME##_each(uint16_t *out, const uint16_t *base,                   \
                                                                const uint16_t *other, double share, int64_t n) {      \
    const float keep = (float)(1.0 - share), give = (float)share;                                                      \
    INDEPENDENT                                                                                                        \
    for (int64_t i = 0; i < n; i++) out[i] = NARROW(WIDE(base[i]) * keep + WIDE(other[i]) * give);                     \
  }                                                                                                                    \
  IN_BOTH_WIDTHS(NAME, uint16_t)

/* Products and sums are exact in WIDE; ROUND is so large that what follows the point is rounded away when it is added, half
   to even, and the whole number is in the last bits. */
#define BLEND_INTEGERS(NAME, TYPE, WIDE, BITS, ROUND)                                                                  \
  static inline __attribute__((always_inline)) void NAME##_each(TYPE *out, const TYPE *base, const TYPE *other,        \
                                                                double share, int64_t n) {                             \
    const WIDE give = (WIDE)(rint(share * STEPS) / STEPS), keep = (WIDE)1 - give;                                      \
    INDEPENDENT                                                                                                        \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
      const WIDE total = (WIDE)base[i] * keep + (WIDE)other[i] * give + (WIDE)ROUND;                                   \
      BITS bits;                                                                                                       \
      memcpy(&bits, &total, sizeof bits);                                                                              \
      out[i] = (TYPE)bits;                                                                                             \
    }                                                                                                                  \
  }                                                                                                                    \
  IN_BOTH_WIDTHS(NAME, TYPE)

BLEND_FLOATS(blend_float32, float)
BLEND_FLOATS(blend_float64, double)
BLEND_HALVES(blend_float16, widened_half, half_of)
BLEND_HALVES(blend_bfloat16, widened_bfloat, bfloat_of)
BLEND_INTEGERS(blend_uint8, uint8_t, float, uint32_t, 12582912.0)
BLEND_INTEGERS(blend_uint16, uint16_t, double, uint64_t, 6755399441055744.0)
BLEND_INTEGERS(blend_int16, int16_t, double, uint64_t, 6755399441055744.0)

#ifdef WIDE_LOOPS
__attribute__((target("avx,f16c"))) static void blend_float16_at_once(uint16_t *out, const uint16_t *base,
                                                                      const uint16_t *other, double share, int64_t n) {
  const __m256 keep = _mm256_set1_ps((float)(1.0 - share)), give = _mm256_set1_ps((float)share);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 first = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(base + i)));
    const __m256 second = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(other + i)));
    const __m256 total = _mm256_add_ps(_mm256_mul_ps(first, keep), _mm256_mul_ps(second, give));
    _mm_storeu_si128((__m128i *)(out + i), _mm256_cvtps_ph(total, _MM_FROUND_TO_NEAREST_INT));
  }
  blend_float16(out + i, base + i, other + i, share, n - i);
}
#endif

static void blend(int64_t dtype, uint8_t *out, const uint8_t *base, const uint8_t *other, double share, int64_t bytes) {
  switch (dtype) {
    case FLOAT32: blend_float32((float *)out, (const float *)base, (const float *)other, share, bytes / 4); break;
    case FLOAT64: blend_float64((double *)out, (const double *)base, (const double *)other, share, bytes / 8); break;
    case FLOAT16:
#ifdef WIDE_LOOPS
      if (__builtin_cpu_supports("f16c")) {
        blend_float16_at_once((uint16_t *)out, (const uint16_t *)base, (const uint16_t *)other, share, bytes / 2);
        break;
      }
#endif
      blend_float16((uint16_t *)out, (const uint16_t *)base, (const uint16_t *)other, share, bytes / 2);
      break;
    case BFLOAT16:
      blend_bfloat16((uint16_t *)out, (const uint16_t *)base, (const uint16_t *)other, share, bytes / 2);
      break;
    case UINT8: blend_uint8(out, base, other, share, bytes); break;
    case UINT16:
      blend_uint16((uint16_t *)out, (const uint16_t *)base, (const uint16_t *)other, share, bytes / 2);
      break;
    case INT16: blend_int16((int16_t *)out, (const int16_t *)base, (const int16_t *)other, share, bytes / 2); break;
  }
}

/* ------------------------------------------------------------------------------------------ rows */

static inline const uint8_t *row_of(const Job *job, int64_t row) {
  return job->samples ? job->samples[row] : job->given + row * job->bytes;
}

/* A piece of a row, from one byte to another, as far as it is in this part of the job. */
static inline void piece(const Job *job, uint8_t *out, const uint8_t *base, const uint8_t *other, double share,
                         int64_t from, int64_t to) {
  if (from < job->first) from = job->first;
  if (to > job->last) to = job->last;
  if (from >= to) return;
  if (share == 1.0) {
    if (out != other) memmove(out + from, other + from, (size_t)(to - from));
  } else {
    blend(job->dtype, out + from, base + from, other + from, share, to - from);
  }
}

/* The bytes of a box in a row, run by run. */
static void box(const Job *job, uint8_t *out, const uint8_t *base, const uint8_t *other, double share, int64_t number) {
  int64_t low[MOST_AXES], high[MOST_AXES], step[MOST_AXES], at[MOST_AXES], rank = job->rank, width = job->item, from = 0;
  for (int64_t axis = 0; axis < rank; axis++) low[axis] = 0, high[axis] = job->lengths[axis];
  for (int64_t axis = 0; axis < job->axes; axis++) {
    low[job->places[axis]] = job->start[number * job->axes + axis];
    high[job->places[axis]] = job->stop[number * job->axes + axis];
  }
  for (int64_t axis = rank - 1; axis >= 0; axis--) {
    if (high[axis] <= low[axis]) return;
    step[axis] = axis == rank - 1 ? job->item : step[axis + 1] * job->lengths[axis + 1];
  }
  while (rank > 0 && low[rank - 1] == 0 && high[rank - 1] == job->lengths[rank - 1]) {
    rank--;
    width = step[rank] * job->lengths[rank];
  }
  if (rank > 0) { /* the innermost axis that is cut: one run a line */
    rank--;
    width = step[rank] * (high[rank] - low[rank]);
    from = step[rank] * low[rank];
  }
  for (int64_t axis = 0; axis < rank; axis++) {
    at[axis] = low[axis];
    from += step[axis] * low[axis];
  }
  for (;;) {
    piece(job, out, base, other, share, from, from + width);
    int64_t axis = rank - 1;
    while (axis >= 0 && ++at[axis] == high[axis]) {
      from -= step[axis] * (high[axis] - 1 - low[axis]);
      at[axis] = low[axis];
      axis--;
    }
    if (axis < 0) return;
    from += step[axis];
  }
}

/* One row with the layer's entry `number`, or none where that is negative. */
static void paint_row(const Job *job, uint8_t *out, const uint8_t *base, const uint8_t *other, int64_t number) {
  const double share = number < 0 ? 0.0 : job->opacity[number];
  const int whole = !job->start;
  if (out != base && !(whole && share > 0.0)) memcpy(out + job->first, base + job->first, (size_t)(job->last - job->first));
  if (share <= 0.0) return;
  if (whole) {
    piece(job, out, base, other, share, 0, job->bytes);
  } else {
    box(job, out, out, other, share, number);
  }
}

/* Into memory of its own. */
static void paint_apart(const Job *job) {
  int32_t *entry = job->work;
  for (int64_t row = 0; row < job->size; row++) entry[row] = -1;
  for (int64_t number = 0; number < job->count; number++) entry[job->rows[number]] = (int32_t)number;
  for (int64_t row = 0; row < job->size; row++) {
    const int64_t number = entry[row];
    const uint8_t *base = row_of(job, row);
    paint_row(job, job->out + row * job->bytes, base, number < 0 ? base : row_of(job, job->source[number]), number);
  }
}

/* Over what is read. Rows that nobody reads any more come first; what is left are circles, and of each of those one row
   is put aside until the row that is painted with it is done. */
static void paint_in_place(const Job *job) {
  int32_t *entry = job->work, *readers = entry + job->size, *ready = readers + job->size;
  int64_t waiting = 0;
  uint8_t *all = job->out;
  for (int64_t row = 0; row < job->size; row++) entry[row] = -1, readers[row] = 0;
  for (int64_t number = 0; number < job->count; number++) {
    const int64_t row = job->rows[number], other = job->source[number];
    if (job->opacity[number] <= 0.0) continue;
    entry[row] = (int32_t)number;
    readers[other] += row != other;
  }
  for (int64_t row = 0; row < job->size; row++)
    if (entry[row] >= 0 && !readers[row]) ready[waiting++] = (int32_t)row;
  while (waiting) {
    const int64_t row = ready[--waiting], number = entry[row], other = job->source[number];
    paint_row(job, all + row * job->bytes, all + row * job->bytes, all + other * job->bytes, number);
    entry[row] = -1;
    if (row != other && !--readers[other] && entry[other] >= 0) ready[waiting++] = (int32_t)other;
  }
  for (int64_t first = 0; first < job->size; first++) {
    if (entry[first] < 0) continue;
    memcpy(job->scratch + job->first, all + first * job->bytes + job->first, (size_t)(job->last - job->first));
    for (int64_t row = first; entry[row] >= 0;) {
      const int64_t number = entry[row], other = job->source[number];
      uint8_t *out = all + row * job->bytes;
      paint_row(job, out, out, other == first ? job->scratch : all + other * job->bytes, number);
      entry[row] = -1;
      row = other;
    }
  }
}

EXPORT void mixtransforms_paint(const Job *job) {
  if (job->out == job->given && !job->samples) {
    paint_in_place(job);
  } else {
    paint_apart(job);
  }
}

/* ------------------------------------------------------------------------------------------ resampling */

/* One axis of a crop, whose numbers lie as (outer, cells, inner), becomes `count` long: every cell of the result is a sum
   of products of cells and weights, in the order of the cells, in float64, or of few bits in float32. */
typedef struct {
  const uint8_t *given;    /* `outer` and `cells` have strides, in bytes; `inner` lies dense */
  uint8_t *out;            /* (outer, count, inner), dense; of float32 or float64, or finished: of the crop's dtype */
  const int64_t *index;    /* (count, taps): cells that are read, `cells` where there is no further one */
  const double *weight;    /* (count, taps) */
  double *work;            /* `cells` * LANES numbers, of this thread alone */
  int64_t outer, cells, inner, count, taps, outer_step, cell_step;
  int64_t dtype, sum, finished; /* sum: FLOAT32 or FLOAT64; dtype: of `given`, one of the sums' too */
  int64_t first, last;     /* which of `outer` */
} Resize;

#define LANES 16

#define RESIZE(NAME, FROM, SUM, TO, READ, WRITE)                                                                       \
  static inline __attribute__((always_inline)) void NAME##_each(const Resize *job) {                                   \
    for (int64_t outer = job->first; outer < job->last; outer++) {                                                     \
      const uint8_t *given = job->given + outer * job->outer_step;                                                     \
      TO *out = (TO *)job->out + outer * job->count * job->inner;                                                      \
      for (int64_t step = 0; step < job->count; step++, out += job->inner) {                                           \
        const int64_t *index = job->index + step * job->taps;                                                          \
        const double *weight = job->weight + step * job->taps;                                                         \
        int64_t i = 0;                                                                                                 \
        for (; i + LANES <= job->inner; i += LANES) {                                                                  \
          SUM total[LANES] = {0};                                                                                      \
          for (int64_t tap = 0; tap < job->taps && index[tap] < job->cells; tap++) {                                   \
            const FROM *line = (const FROM *)(given + index[tap] * job->cell_step) + i;                                \
            const SUM share = (SUM)weight[tap];                                                                        \
            for (int64_t lane = 0; lane < LANES; lane++) total[lane] = total[lane] + share * (SUM)READ(line[lane]);    \
          }                                                                                                            \
          for (int64_t lane = 0; lane < LANES; lane++) out[i + lane] = WRITE(total[lane], TO);                         \
        }                                                                                                              \
        for (; i < job->inner; i++) {                                                                                  \
          SUM total = 0;                                                                                               \
          for (int64_t tap = 0; tap < job->taps && index[tap] < job->cells; tap++) {                                   \
            const FROM *line = (const FROM *)(given + index[tap] * job->cell_step);                                    \
            total = total + (SUM)weight[tap] * (SUM)READ(line[i]);                                                     \
          }                                                                                                            \
          out[i] = WRITE(total, TO);                                                                                   \
        }                                                                                                              \
      }                                                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
  static inline __attribute__((always_inline)) void NAME##_lines_each(const Resize *job) {                             \
    SUM *lanes = (SUM *)job->work;                                                                                     \
    for (int64_t outer = job->first; outer < job->last; outer += LANES) {                                              \
      const int64_t lines = job->last - outer < LANES ? job->last - outer : LANES;                                     \
      for (int64_t lane = 0; lane < LANES; lane++) {                                                                   \
        const FROM *line = (const FROM *)(job->given + (outer + (lane < lines ? lane : 0)) * job->outer_step);         \
        for (int64_t cell = 0; cell < job->cells; cell++) lanes[cell * LANES + lane] = (SUM)READ(line[cell]);          \
      }                                                                                                                \
      TO *out = (TO *)job->out + outer * job->count;                                                                   \
      for (int64_t step = 0; step < job->count; step++) {                                                              \
        const int64_t *index = job->index + step * job->taps;                                                          \
        const double *weight = job->weight + step * job->taps;                                                         \
        SUM total[LANES] = {0};                                                                                        \
        for (int64_t tap = 0; tap < job->taps && index[tap] < job->cells; tap++) {                                     \
          const SUM share = (SUM)weight[tap], *cell = lanes + index[tap] * LANES;                                      \
          for (int64_t lane = 0; lane < LANES; lane++) total[lane] = total[lane] + share * cell[lane];                 \
        }                                                                                                              \
        for (int64_t lane = 0; lane < lines; lane++) out[lane * job->count + step] = WRITE(total[lane], TO);           \
      }                                                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
  RESIZE_IN_BOTH_WIDTHS(NAME)

#ifdef WIDE_LOOPS
#define RESIZE_IN_BOTH_WIDTHS(NAME)                                                                                    \
  __attribute__((target("avx2"))) static void NAME##_wide(const Resize *job) {                                         \
    if (job->inner == 1) NAME##_lines_each(job);                                                                       \
    else NAME##_each(job);                                                                                             \
  }                                                                                                                    \
  static void NAME(const Resize *job) {                                                                                \
    if (__builtin_cpu_supports("avx2")) NAME##_wide(job);                                                              \
    else if (job->inner == 1) NAME##_lines_each(job);                                                                  \
    else NAME##_each(job);                                                                                             \
  }
#else
#define RESIZE_IN_BOTH_WIDTHS(NAME)                                                                                    \
  static void NAME(const Resize *job) {                                                                                \
    if (job->inner == 1) NAME##_lines_each(job);                                                                       \
    else NAME##_each(job);                                                                                             \
  }
#endif

/* The nearest whole number, half to even: the sum has no room for what follows the point, and shows it in its last bits. */
static inline uint64_t whole_of(double total) {
  uint64_t bits;
  total += 6755399441055744.0;
  memcpy(&bits, &total, 8);
  return bits;
}

#define SAME(value) (value)
#define CAST(total, TO) ((TO)(total))
#define WHOLE(total, TO) ((TO)whole_of(total))
#define TO_HALF(total, TO) half_of((float)(total))

RESIZE(uint8_begun, uint8_t, float, float, SAME, CAST)
RESIZE(uint8_at_once, uint8_t, float, uint8_t, SAME, WHOLE)
RESIZE(uint16_begun, uint16_t, double, double, SAME, CAST)
RESIZE(uint16_at_once, uint16_t, double, uint16_t, SAME, WHOLE)
RESIZE(int16_begun, int16_t, double, double, SAME, CAST)
RESIZE(int16_at_once, int16_t, double, int16_t, SAME, WHOLE)
RESIZE(float_continued, float, double, double, SAME, CAST)
RESIZE(float_to_uint8, float, double, uint8_t, SAME, WHOLE)
RESIZE(double_continued, double, double, double, SAME, CAST)
RESIZE(double_to_uint8, double, double, uint8_t, SAME, WHOLE)
RESIZE(double_to_uint16, double, double, uint16_t, SAME, WHOLE)
RESIZE(double_to_int16, double, double, int16_t, SAME, WHOLE)
RESIZE(float32_at_once, float, double, float, SAME, CAST)
RESIZE(double_to_float32, double, double, float, SAME, CAST)

EXPORT void test_resize(const Resize *job, int64_t which) {
  switch (which) {
    case 0: uint8_begun(job); break;
    case 1: float_to_uint8(job); break;
    case 2: float_continued(job); break;
    case 3: double_to_float32(job); break;
  }
}
