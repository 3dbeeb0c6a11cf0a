/* Layers of a plan on batches in host memory.

   Every function does a part of a job: the bytes from `first` to `last` of every row. Parts do not depend on each other,
   so that several threads may do one each. Results are those of the functions in NumPy, bit for bit (of NaN, that it is
   NaN): products and sums are rounded one by one (-ffp-contract=off), weights of 0 and 1 select, integers are blended in
   steps of 1/65536 and rounded half to even. That addresses and sizes are true, whoever calls has to know; indices and
   boxes are checked.

   There is no header of Python, NumPy or torch: memory comes in as addresses. */

#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64

#include <errno.h>
#if !defined(_WIN32)
#include <unistd.h>
#endif

#include "exact.h"

/* What this was built from, by setup.py: it is used beside these sources alone. */
#ifndef MIXTRANSFORMS_SOURCES
#define MIXTRANSFORMS_SOURCES 0u
#endif
EXPORT const uint32_t mixtransforms_sources = MIXTRANSFORMS_SOURCES;

#define STEPS 65536 /* weights of integers are counted in */
#define MOST_AXES 8
#define LINE 64 /* bytes; parts begin at multiples of it */

enum { FLOAT32, FLOAT64, FLOAT16, BFLOAT16, UINT8, UINT16, INT16, BYTES };

/* What is to be done. Behind it lie, all of 8 bytes each:
   - lengths of the axes of a row (rank,), and which of them are mixed (axes,);
   - where samples begin that were never stacked (known,), if `sampled`; these are then read in the place of `given`;
   - what all layers paint, in their order: the row that is painted on (count,), the row that is painted (count,), and how
     much of it shows (count,), in float64; with axes, the boxes where it shows, starts (count, axes) and stops alike: a
     first start of -1 is on the whole row;
   - room for notes, 1 + 2 * size + known + count / 2 for each part. */
typedef struct {
  uint8_t *out;         /* rows that are written: dense, one every `out_step` bytes */
  const uint8_t *given; /* rows that are read: dense, one every `given_step` bytes; `out` itself to paint in place */
  uint8_t *scratch;     /* `slots` rows, of which every part uses its own bytes alone: those put aside in place */
  int64_t size, known;  /* how many rows are written, and how many are read: the former are the first of these */
  int64_t sampled, out_step, given_step, count, item, rank, axes, dtype, slots, parts;
  int64_t file;         /* that rows are written to instead, of the one part, by way of `scratch`; or -1 */
} Job;

/* A job as one part of it goes about it. */
typedef struct {
  Job job;
  const int64_t *lengths, *places, *rows, *source, *start, *stop;
  const uint8_t *const *samples;
  const double *opacity;
  int64_t bytes, first, last; /* of a row: all, and those of this part */
  int32_t *from;    /* (size + 1,), where the entries of a row begin in `entry`, which is (count,) */
  int32_t *entry;
  int32_t *waiting; /* (size,), which rows are still to be painted */
  int32_t *ready;   /* (size,), in place: those of them that nobody reads any more */
  int32_t *spare;   /* (size,), in place: slots that are free again */
  int32_t *readers; /* (known,), in place: how often a row is still to be painted with */
  int32_t *slot;    /* (known,), in place: where it was put aside, or -1 */
} Part;

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

/* The nearest whole number, half to even: the sum has no room for what follows the point, and shows it in its last bits. */
static inline uint64_t whole_of(double total) {
  uint64_t bits;
  total += 6755399441055744.0;
  memcpy(&bits, &total, 8);
  return bits;
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

/* Counted in steps of 1/65536, in which products and sums are whole numbers of 32 bits, also of what is below 0, if as much
   is added before as is taken away behind. */
#define BLEND_INTEGERS(NAME, TYPE, LEAST)                                                                              \
  static inline __attribute__((always_inline)) void NAME##_each(TYPE *out, const TYPE *base, const TYPE *other,        \
                                                                double share, int64_t n) {                             \
    const uint32_t give = (uint32_t)rint(share * STEPS), keep = STEPS - give;                                          \
    INDEPENDENT                                                                                                        \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
      const uint32_t total = (uint32_t)(base[i] - (LEAST)) * keep + (uint32_t)(other[i] - (LEAST)) * give;             \
      out[i] = (TYPE)((int32_t)((total + STEPS / 2 - 1 + (total / STEPS & 1)) / STEPS) + (LEAST)); /* half to even */  \
    }                                                                                                                  \
  }                                                                                                                    \
  IN_BOTH_WIDTHS(NAME, TYPE)

BLEND_FLOATS(blend_float32, float)
BLEND_FLOATS(blend_float64, double)
BLEND_HALVES(blend_float16, widened_half, half_of)
BLEND_HALVES(blend_bfloat16, widened_bfloat, bfloat_of)
BLEND_INTEGERS(blend_uint8, uint8_t, 0)
BLEND_INTEGERS(blend_uint16, uint16_t, 0)
BLEND_INTEGERS(blend_int16, int16_t, INT16_MIN)

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

/* In steps of 1/65536, of 16 bits: whole ones of a product, and the rest. The smaller weight has as many bits; of a half,
   which has one too many, the opposite is taken, of the opposite difference. */
__attribute__((target("avx2"))) static inline __m256i blend_steps(__m256i base, __m256i change, __m256i steps) {
  const __m256i rest = _mm256_xor_si256(_mm256_mullo_epi16(change, steps), _mm256_set1_epi16(INT16_MIN));
  const __m256i whole = _mm256_add_epi16(base, _mm256_mulhi_epi16(change, steps));
  const __m256i odd = _mm256_and_si256(whole, _mm256_set1_epi16(1));
  return _mm256_sub_epi16(whole, _mm256_cmpgt_epi16(rest, _mm256_sub_epi16(_mm256_setzero_si256(), odd)));
}

__attribute__((target("avx2"))) static void blend_uint8_at_once(uint8_t *out, const uint8_t *base, const uint8_t *other,
                                                                double share, int64_t n) {
  const int32_t give = (int32_t)rint(share * STEPS), less = give <= STEPS / 2 ? give : STEPS - give;
  const uint8_t *most = give <= STEPS / 2 ? base : other, *least = give <= STEPS / 2 ? other : base;
  const uint8_t *plus = less < STEPS / 2 ? least : most, *minus = less < STEPS / 2 ? most : least;
  const __m256i none = _mm256_setzero_si256(), steps = _mm256_set1_epi16((int16_t)(less < STEPS / 2 ? less : INT16_MIN));
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i first = _mm256_loadu_si256((const __m256i *)(most + i));
    const __m256i high = _mm256_loadu_si256((const __m256i *)(plus + i));
    const __m256i low = _mm256_loadu_si256((const __m256i *)(minus + i));
    const __m256i begin = blend_steps(
        _mm256_unpacklo_epi8(first, none),
        _mm256_sub_epi16(_mm256_unpacklo_epi8(high, none), _mm256_unpacklo_epi8(low, none)), steps);
    const __m256i end = blend_steps(
        _mm256_unpackhi_epi8(first, none),
        _mm256_sub_epi16(_mm256_unpackhi_epi8(high, none), _mm256_unpackhi_epi8(low, none)), steps);
    _mm256_storeu_si256((__m256i *)(out + i), _mm256_packus_epi16(begin, end));
  }
  blend_uint8(out + i, base + i, other + i, share, n - i);
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
    case UINT8:
#ifdef WIDE_LOOPS
      if (__builtin_cpu_supports("avx2")) {
        blend_uint8_at_once(out, base, other, share, bytes);
        break;
      }
#endif
      blend_uint8(out, base, other, share, bytes);
      break;
    case UINT16:
      blend_uint16((uint16_t *)out, (const uint16_t *)base, (const uint16_t *)other, share, bytes / 2);
      break;
    case INT16: blend_int16((int16_t *)out, (const int16_t *)base, (const int16_t *)other, share, bytes / 2); break;
  }
}

/* ------------------------------------------------------------------------------------------ rows */

static inline const uint8_t *row_of(const Part *part, int64_t row) {
  const Job *job = &part->job;
  if (part->slot[row] >= 0) return job->scratch + part->slot[row] * part->bytes;
  return job->sampled ? part->samples[row] : job->given + row * job->given_step;
}

static inline int is_whole(const Part *part, int64_t entry) {
  return !part->job.axes || part->start[entry * part->job.axes] < 0;
}

/* Few bytes without a call: boxes of small images have thousands of lines. */
static inline void copy_line(uint8_t *out, const uint8_t *other, int64_t bytes) {
  if (bytes < 16 || bytes > 256) {
    memcpy(out, other, (size_t)bytes);
    return;
  }
  for (int64_t i = 0; i < bytes - 16; i += 16) memcpy(out + i, other + i, 16);
  memcpy(out + bytes - 16, other + bytes - 16, 16);
}

/* A piece of a row, from one byte to another, as far as it is in this part of the job. */
static inline void piece(const Part *part, uint8_t *out, const uint8_t *base, const uint8_t *other, double share,
                         int64_t from, int64_t to) {
  if (from < part->first) from = part->first;
  if (to > part->last) to = part->last;
  if (from >= to) return;
  if (share != 1.0) {
    blend(part->job.dtype, out + from, base + from, other + from, share, to - from);
  } else if (out != other) {
    copy_line(out + from, other + from, to - from);
  }
}

/* The cells of a box, line by line. */
static void box(const Part *part, uint8_t *out, const uint8_t *other, double share, int64_t entry) {
  const Job *job = &part->job;
  int64_t low[MOST_AXES], high[MOST_AXES], step[MOST_AXES], at[MOST_AXES], rank = job->rank;
  int64_t width = job->item, lines = 1, pitch = 0, from = 0;
  for (int64_t axis = 0; axis < rank; axis++) low[axis] = 0, high[axis] = part->lengths[axis];
  for (int64_t axis = 0; axis < job->axes; axis++) {
    low[part->places[axis]] = part->start[entry * job->axes + axis];
    high[part->places[axis]] = part->stop[entry * job->axes + axis];
  }
  for (int64_t axis = rank - 1; axis >= 0; axis--) {
    if (high[axis] <= low[axis]) return;
    step[axis] = axis == rank - 1 ? job->item : step[axis + 1] * part->lengths[axis + 1];
  }
  while (rank > 0 && low[rank - 1] == 0 && high[rank - 1] == part->lengths[rank - 1]) { /* lies in one piece */
    rank--;
    width = step[rank] * part->lengths[rank];
  }
  if (rank > 0) { /* the innermost axis that is cut: one line of it */
    rank--;
    width = step[rank] * (high[rank] - low[rank]);
    from = step[rank] * low[rank];
  }
  if (rank > 0) { /* the next one: many lines of it */
    rank--;
    lines = high[rank] - low[rank];
    pitch = step[rank];
    from += pitch * low[rank];
  }
  for (int64_t axis = 0; axis < rank; axis++) {
    at[axis] = low[axis];
    from += step[axis] * low[axis];
  }
  for (;;) {
    for (int64_t line = 0; line < lines; line++)
      piece(part, out, out, other, share, from + line * pitch, from + line * pitch + width);
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

/* ------------------------------------------------------------------------------------------ several blends of integers */

#define FEW 512 /* sums that stay in the first cache */

#define SUMS(NAME, TYPE)                                                                                               \
  static void NAME##_begin(double *total, const uint8_t *base, int64_t n) {                                            \
    for (int64_t i = 0; i < n; i++) total[i] = ((const TYPE *)base)[i];                                                \
  }                                                                                                                    \
  static void NAME##_add(double *total, const uint8_t *other, double keep, double give, int64_t n) {                   \
    for (int64_t i = 0; i < n; i++) total[i] = total[i] * keep + ((const TYPE *)other)[i] * give;                      \
  }                                                                                                                    \
  static void NAME##_end(uint8_t *out, const double *total, int64_t n) {                                               \
    for (int64_t i = 0; i < n; i++) ((TYPE *)out)[i] = (TYPE)whole_of(total[i]);                                       \
  }

SUMS(uint8, uint8_t)
SUMS(uint16, uint16_t)
SUMS(int16, int16_t)

static const struct {
  void (*begin)(double *, const uint8_t *, int64_t);
  void (*add)(double *, const uint8_t *, double, double, int64_t);
  void (*end)(uint8_t *, const double *, int64_t);
} SUMS_OF[] = {[UINT8] = {uint8_begin, uint8_add, uint8_end},
               [UINT16] = {uint16_begin, uint16_add, uint16_end},
               [INT16] = {int16_begin, int16_add, int16_end}};

static inline int is_integer(int64_t dtype) { return dtype == UINT8 || dtype == UINT16 || dtype == INT16; }

/* Entries of whole samples that follow one another, which are rounded together. */
static void run(const Part *part, uint8_t *out, const uint8_t *base, int64_t from, int64_t to) {
  const Job *job = &part->job;
  double total[FEW];
  for (int64_t byte = part->first; byte < part->last; byte += FEW * job->item) {
    const int64_t left = (part->last - byte) / job->item, n = left < FEW ? left : FEW;
    SUMS_OF[job->dtype].begin(total, base + byte, n);
    for (int64_t at = from; at < to; at++) {
      const int64_t entry = part->entry[at];
      const double give = rint(part->opacity[entry] * STEPS) / STEPS;
      SUMS_OF[job->dtype].add(total, row_of(part, part->source[entry]) + byte, 1.0 - give, give, n);
    }
    SUMS_OF[job->dtype].end(out + byte, total, n);
  }
}

/* ------------------------------------------------------------------------------------------ jobs */

/* Where the entries at and behind `at`, of a row that ends at `to`, are not rounded together any more. */
static int64_t joined(const Part *part, int64_t at, int64_t to) {
  const Job *job = &part->job;
  int64_t end = at, blends = 0;
  if (is_integer(job->dtype))
    for (; end < to && is_whole(part, part->entry[end]); end++)
      blends += part->opacity[part->entry[end]] > 0.0 && part->opacity[part->entry[end]] < 1.0;
  return blends > 1 ? end : at + 1;
}

/* One row with all that is painted on it. */
static void paint_row(const Part *part, uint8_t *out, const uint8_t *base, int64_t row) {
  const size_t bytes = (size_t)(part->last - part->first);
  for (int64_t at = part->from[row], to = part->from[row + 1], end; at < to; at = end) {
    const int64_t entry = part->entry[at];
    const double share = part->opacity[entry];
    end = joined(part, at, to);
    if (end > at + 1) {
      run(part, out, base, at, end);
    } else if (share <= 0.0) {
      continue;
    } else if (is_whole(part, entry)) {
      piece(part, out, base, row_of(part, part->source[entry]), share, 0, part->bytes);
    } else {
      if (out != base) memcpy(out + part->first, base + part->first, bytes);
      box(part, out, row_of(part, part->source[entry]), share, entry);
    }
    base = out;
  }
  if (out != base) memcpy(out + part->first, base + part->first, bytes);
}

/* Writes a row to a file; whether that succeeds. */
static int written(const Part *part, const uint8_t *row, int64_t number) {
#if defined(_WIN32)
  (void)part, (void)row, (void)number;
  return 0;
#else
  for (int64_t done = 0; done < part->bytes;) {
    const ssize_t more =
        pwrite((int)part->job.file, row + done, (size_t)(part->bytes - done), (off_t)(number * part->bytes + done));
    if (more <= 0 && errno != EINTR) return 0;
    done += more > 0 ? more : 0;
  }
  return 1;
#endif
}

/* Into memory of its own: every row once, where possible behind the one that it is painted on, which is then in the
   cache. */
static int64_t paint_apart(const Part *part) {
  const Job *job = &part->job;
  for (int64_t row = 0; row < job->size; row++) part->waiting[row] = 1;
  for (int64_t first = 0; first < job->size; first++) {
    for (int64_t row = first; row < job->size && part->waiting[row];) {
      part->waiting[row] = 0;
      if (job->file < 0) {
        paint_row(part, job->out + row * job->out_step, row_of(part, row), row);
      } else {
        paint_row(part, job->scratch, row_of(part, row), row);
        if (!written(part, job->scratch, row)) return -2;
      }
      if (part->from[row] < part->from[row + 1]) row = part->source[part->entry[part->from[row]]];
    }
  }
  return 0;
}

static void released(const Part *part, int64_t row, int64_t *spare) {
  if (part->slot[row] < 0 || part->readers[row]) return;
  part->spare[(*spare)++] = part->slot[row];
  part->slot[row] = -1;
}

/* Over what is read. Rows that nobody reads any more come first; where all that are left are read in circles, one of them
   is put aside until those that are painted with it are done. The result is how many are aside at once; without `paints`
   it is only counted. */
static int64_t paint_in_place(const Part *part, int paints) {
  const Job *job = &part->job;
  int64_t ready = 0, spare = 0, slots = 0;
  for (int64_t row = 0; row < job->size; row++) part->waiting[row] = part->readers[row] = 0;
  for (int64_t entry = 0; entry < job->count; entry++) {
    if (part->opacity[entry] <= 0.0) continue;
    part->waiting[part->rows[entry]] = 1;
    part->readers[part->source[entry]] += part->rows[entry] != part->source[entry];
  }
  for (int64_t row = 0; row < job->size; row++)
    if (part->waiting[row] && !part->readers[row]) part->ready[ready++] = (int32_t)row;
  for (int64_t next = 0;;) {
    while (next < job->size && !part->waiting[next]) next++;
    if (!ready && next == job->size) return slots;
    const int64_t row = ready ? part->ready[--ready] : next, to = part->from[row + 1];
    uint8_t *out = job->out + row * job->out_step;
    part->waiting[row] = 0;
    int aside = part->readers[row] > 0;
    for (int64_t at = part->from[row] + 1; at < to; at++) aside |= part->source[part->entry[at]] == row; /* as it was */
    if (aside) {
      part->slot[row] = spare ? part->spare[--spare] : (int32_t)slots++;
      uint8_t *kept = job->scratch + part->slot[row] * part->bytes;
      if (paints) memcpy(kept + part->first, out + part->first, (size_t)(part->last - part->first));
    }
    if (paints) paint_row(part, out, out, row);
    for (int64_t at = part->from[row]; at < to; at++) {
      const int64_t source = part->source[part->entry[at]];
      if (part->opacity[part->entry[at]] <= 0.0 || source == row || --part->readers[source]) continue;
      if (part->waiting[source]) {
        part->ready[ready++] = (int32_t)source;
      } else {
        released(part, source, &spare);
      }
    }
    released(part, row, &spare);
  }
}

/* Whether all indices are of rows that there are, and all boxes inside of these. */
static int fits(const Part *part) {
  const Job *job = &part->job;
  for (int64_t entry = 0; entry < job->count; entry++) {
    const double share = part->opacity[entry];
    if (part->rows[entry] < 0 || part->rows[entry] >= job->size) return 0;
    if (part->source[entry] < 0 || part->source[entry] >= job->known) return 0;
    if (!(share >= 0.0 && share <= 1.0) || (job->dtype == BYTES && share > 0.0 && share < 1.0)) return 0;
    if (is_whole(part, entry)) continue;
    for (int64_t at = entry * job->axes, axis = 0; axis < job->axes; axis++, at++)
      if (part->start[at] < 0 || part->stop[at] < part->start[at] || part->stop[at] > part->lengths[part->places[axis]])
        return 0;
  }
  return 1;
}

/* Where things lie that belong to a part of a job. */
static Part part_of(const Job *job, int64_t number) {
  Part part = {.job = *job, .bytes = job->item};
  const int64_t *next = (const int64_t *)(job + 1);
  part.lengths = next, next += job->rank;
  part.places = next, next += job->axes;
  part.samples = (const uint8_t *const *)next, next += job->sampled ? job->known : 0;
  part.rows = next, next += job->count;
  part.source = next, next += job->count;
  part.opacity = (const double *)next, next += job->count;
  part.start = next, next += job->count * job->axes;
  part.stop = next, next += job->count * job->axes;
  next += number * (1 + 2 * job->size + job->known + job->count / 2);
  part.from = (int32_t *)next;
  part.entry = part.from + job->size + 1;
  part.waiting = part.entry + job->count;
  part.ready = part.waiting + job->size;
  part.spare = part.ready + job->size;
  part.readers = part.spare + job->size;
  part.slot = part.readers + job->known;
  for (int64_t axis = 0; axis < job->rank; axis++) part.bytes *= part.lengths[axis];
  part.first = part.bytes * number / job->parts / LINE * LINE;
  part.last = number + 1 < job->parts ? part.bytes * (number + 1) / job->parts / LINE * LINE : part.bytes;
  return part;
}

/* Puts down which entries belong to which row; whether some row has several. */
static int sorted(const Part *part) {
  const Job *job = &part->job;
  int several = 0;
  for (int64_t row = 0; row <= job->size; row++) part->from[row] = 0;
  for (int64_t entry = 0; entry < job->count; entry++) several |= part->from[part->rows[entry] + 1]++ > 0;
  for (int64_t row = 0; row < job->size; row++) part->from[row + 1] += part->from[row];
  for (int64_t entry = job->count; entry-- > 0;) part->entry[--part->from[part->rows[entry] + 1]] = (int32_t)entry;
  memmove(part->from, part->from + 1, (size_t)job->size * sizeof *part->from); /* ends have become beginnings */
  part->from[job->size] = (int32_t)job->count;
  return several;
}

/* Paints a part, or says why not: with -1 that the job does not fit its rows, with -2 that a file could not be written,
   else how many slots it needs, where these are more than there are. Nothing is written then, and all parts say the
   same. */
EXPORT int64_t mixtransforms_paint(const Job *job, int64_t number) {
  const Part part = part_of(job, number);
  if (!fits(&part)) return -1;
  const int several = sorted(&part);
  for (int64_t row = 0; row < job->known; row++) part.slot[row] = -1;
  if (job->sampled || job->out != job->given) return paint_apart(&part);
  const int64_t slots = several ? paint_in_place(&part, 0) : 1; /* of single sources, circles come one after the other */
  if (slots > job->slots) return slots;
  paint_in_place(&part, 1);
  return 0;
}
