#include "npgfast/base/group.hpp"

#include "npgfast/base/philox_lanes.hpp"

namespace npgfast {

namespace {

template <std::uint64_t... k>
constexpr LaneWords count_lanes(std::integer_sequence<std::uint64_t, k...>) { return LaneWords{k...}; }
constexpr LaneWords kNumbers = count_lanes(std::make_integer_sequence<std::uint64_t, kWidth>());

/// Rows (n_steps, count, kGroup) of numbers, of which make(draw) makes two, {first, second}, out of a block.
template <class Make>
void fill_rows(const GroupStream& stream, Index n, Index n_steps, Index count, double* rows, const Make& make) {
    const LaneKeys keys(stream.seed);
    const std::uint32_t last_word = philox_stream(stream.iteration, stream.purpose);
    for (Index lane = 0; lane < n; lane += kWidth) {
        const LaneWords environment = kNumbers + static_cast<std::uint64_t>(stream.first_environment + lane);
        const LaneInts steps = load(stream.steps + lane);
        const auto put = [&](Index t, Index j, const LanePair& numbers) {
            double* const row = rows + (t * count + j) * kGroup + lane;
            if (t + 1 < n_steps) {
                store(row, numbers.first);
                store(row + count * kGroup, numbers.second);
            } else {
                store(row, (steps & 1) != 0 ? numbers.second : numbers.first);
            }
        };
        for (Index j = 0; j < count; ++j)
            for (Index t = 0; t < n_steps; t += 4) {
                const LaneWords even[] = {(LaneWords)((steps + t) & ~std::int64_t{1}),
                                          (LaneWords)((steps + t + 2) & ~std::int64_t{1})};
                LaneDraw draws[2];
                draw_lanes(keys, environment, static_cast<std::uint32_t>(j), even, last_word, draws);
                put(t, j, make(draws[0]));
                if (t + 2 < n_steps) put(t + 2, j, make(draws[1]));
            }
    }
}

}  // namespace

void gather(const double* rows, Index n, Index size, double* group) {
    for (Index j = 0; j < size; ++j) {
        double* row = group + j * kGroup;
        for (Index k = 0; k < n; ++k) row[k] = rows[k * size + j];
        for (Index k = n; k < kGroup; ++k) row[k] = 0.0;
    }
}

void scatter(const double* group, Index n, Index size, double* rows) {
    for (Index j = 0; j < size; ++j)
        for (Index k = 0; k < n; ++k) rows[k * size + j] = group[j * kGroup + k];
}

void GroupStream::uniforms(Index n, Index n_steps, double* rows) const {
    fill_rows(*this, n, n_steps, 1, rows, [](const LaneDraw& draw) {
        return LanePair{uniform_lanes(draw.first), uniform_lanes(draw.second)};
    });
}

void GroupStream::normals(Index n, Index n_steps, Index count, double* rows) const {
    fill_rows(*this, n, n_steps, count, rows, normal_lanes);
}

}  // namespace npgfast
