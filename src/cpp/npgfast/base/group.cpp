#include "npgfast/base/group.hpp"

#include "npgfast/base/philox_lanes.hpp"

namespace npgfast {

namespace {

template <std::uint64_t... k>
constexpr LaneWords count_lanes(std::integer_sequence<std::uint64_t, k...>) { return LaneWords{k...}; }
constexpr LaneWords kNumbers = count_lanes(std::make_integer_sequence<std::uint64_t, kWidth>());

inline LaneDraw draw_block(const GroupStream& stream, Index lane, std::uint32_t block) {
    const LaneWords environment = kNumbers + static_cast<std::uint64_t>(stream.first_environment + lane);
    return draw_lanes(stream.seed, stream.iteration, environment, block, (LaneWords)load(stream.steps + lane),
                      stream.purpose);
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

void GroupStream::uniform(Index n, double* row) const {
    for (Index lane = 0; lane < n; lane += kWidth) store(row + lane, uniform_lanes(draw_block(*this, lane, 0).first));
}

void GroupStream::normals(Index n, Index count, double* rows) const {
    for (Index lane = 0; lane < n; lane += kWidth)
        for (Index j = 0; j < count; j += 2) {
            const LaneNormals two = normal_lanes(draw_block(*this, lane, static_cast<std::uint32_t>(j / 2)));
            store(rows + j * kGroup + lane, two.first);
            if (j + 1 < count) store(rows + (j + 1) * kGroup + lane, two.second);
        }
}

}  // namespace npgfast
