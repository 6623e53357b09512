#include "npgfast/sampling/decode.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "npgfast/base/parallel.hpp"

namespace npgfast {

namespace {

constexpr Index kTracksTogether = kBlockLanes;
constexpr Index kDecodedPerThread = 100'000;

/// Calls f(lane, record, next record, element of out) for every step; the next of the last one holds the last state.
template <class T, class Function>
void for_each_step(const CompactRollout& rollout, const Layout& layout, int n_threads, std::span<T> out,
                   const Interrupt& interrupt, Function make) {
    const Index n_envs = rollout.n_envs(), n_columns = layout.n_columns;
    const Index n_groups = (n_envs + kTracksTogether - 1) / kTracksTogether;
    const std::uint32_t* records = rollout.records.data();
    const auto last_record = [&](Index e) {
        return rollout.format.pack(std::max<Index>(rollout.last_state(e), 0), 0, 0);
    };
    parallel_for(n_groups, std::ssize(out) < 2 * kDecodedPerThread ? 1 : n_threads, [&](Index group) {
        auto f = make();
        const Index first = group * kTracksTogether, end = std::min(n_envs, first + kTracksTogether);
        bool lies_side_by_side = end - first <= n_columns && first % n_columns + (end - first) <= n_columns;
        for (Index e = first; e < end && lies_side_by_side; ++e)
            lies_side_by_side = rollout.first(e) == rollout.first(first) + (e - first) &&
                                rollout.stride(e) == rollout.stride(first) &&
                                rollout.length(e) == rollout.length(first) &&
                                layout.first_rows[e] == layout.first_rows[first];
        const Index width = lies_side_by_side ? end - first : 1;
        for (Index e = first; e < end; e += width) {
            const Index stride = rollout.stride(e), length = rollout.length(e);
            f.begin();
            for (Index t = 0; t < length; ++t) {
                if (t % kInterruptPeriod == 0) interrupt.check();
                const std::uint32_t* row = records + rollout.first(e) + t * stride;
                T* to = out.data() + (layout.first_rows[e] + t) * n_columns + e % n_columns;
                if (t + 1 < length)
                    for (Index lane = 0; lane < width; ++lane) to[lane] = f(lane, row[lane], row[stride + lane]);
                else
                    for (Index lane = 0; lane < width; ++lane) to[lane] = f(lane, row[lane], last_record(e + lane));
            }
        }
    });
}

/// A function of the record alone.
template <class Function>
struct OfRecord {
    Function function;
    void begin() const {}
    auto operator()(Index, std::uint32_t record, std::uint32_t) const { return function(record); }
};

template <class T, class Function>
void decode_records(const CompactRollout& rollout, const Layout& layout, int n_threads, std::span<T> out,
                    const Interrupt& interrupt, Function function) {
    for_each_step(rollout, layout, n_threads, out, interrupt, [&] { return OfRecord<Function>{function}; });
}

struct TimeOfStep {
    std::array<std::int64_t, kTracksTogether> time{};
    void begin() { time.fill(0); }
    std::int64_t operator()(Index lane, std::uint32_t record, std::uint32_t) {
        const std::int64_t now = time[lane];
        time[lane] = record & RecordFormat::kFlags ? 0 : now + 1;
        return now;
    }
};

struct NextState {
    RecordFormat format;
    void begin() const {}
    std::int64_t operator()(Index, std::uint32_t record, std::uint32_t next) const {
        return record & (kTerminated | kRestarted) ? -1 : std::int64_t{format.state(next)};
    }
};

}  // namespace

CompactArrays compact(Rollout&& rollout) {
    CompactArrays arrays;
    std::vector<Index> places;
    if (!rollout.blocks.empty() && rollout.blocks[0].episodes.size() > 0) {
        Index n_records = 0;
        for (const Block& block : rollout.blocks) {
            places.push_back(n_records);
            n_records += block.n_rows * block.stride;
        }
        arrays.records.resize(n_records);
        for (std::size_t b = 0; b < rollout.blocks.size(); ++b) {
            const Block& block = rollout.blocks[b];
            std::memcpy(arrays.records.data() + places[b], block.records,
                        static_cast<std::size_t>(block.n_rows * block.stride) * sizeof(std::uint32_t));
        }
    } else {
        for (const Block& block : rollout.blocks) places.push_back(block.records - rollout.records.data());
        arrays.records = std::move(rollout.records);
    }
    arrays.tracks.resize(rollout.n_envs() * CompactRollout::kTrackWidth);
    for (std::size_t b = 0; b < rollout.blocks.size(); ++b) {
        const Block& block = rollout.blocks[b];
        for (Index e = block.first_env; e < block.first_env + block.n_envs; ++e) {
            const Track& track = rollout.tracks[static_cast<std::size_t>(e)];
            const std::array<Index, CompactRollout::kTrackWidth> numbers{places[b] + (track.records - block.records),
                                                                         track.stride, track.length, track.last_state};
            std::copy(numbers.begin(), numbers.end(), arrays.tracks.data() + e * CompactRollout::kTrackWidth);
            for (const Cut& cut : track.cuts)
                for (Index number : {e, cut.row, Index{cut.state}}) arrays.cuts.push_back(number);
        }
    }
    return arrays;
}

Layout lay_out(const CompactRollout& rollout, Index n_columns) {
    Layout layout;
    layout.n_columns = n_columns;
    std::vector<Index> heights(static_cast<std::size_t>(n_columns), 0);
    Index n_steps = 0;
    for (Index e = 0; e < rollout.n_envs(); ++e) {
        Index& height = heights[static_cast<std::size_t>(e % n_columns)];
        layout.first_rows.push_back(height);
        height += rollout.length(e);
        n_steps += rollout.length(e);
    }
    layout.n_rows = *std::max_element(heights.begin(), heights.end());
    layout.is_full = n_steps == layout.n_rows * n_columns;
    return layout;
}

void decode(const CompactRollout& rollout, const Layout& layout, IntegerField field, int n_threads,
            std::span<std::int64_t> out, const Interrupt& interrupt) {
    const RecordFormat format = rollout.format;
    switch (field) {
        case IntegerField::states:
            return decode_records(rollout, layout, n_threads, out, interrupt,
                                  [format](std::uint32_t record) -> std::int64_t { return format.state(record); });
        case IntegerField::actions:
            return decode_records(rollout, layout, n_threads, out, interrupt,
                                  [format](std::uint32_t record) -> std::int64_t { return format.action(record); });
        case IntegerField::time:
            return for_each_step(rollout, layout, n_threads, out, interrupt, [] { return TimeOfStep{}; });
        case IntegerField::next_states:
            for_each_step(rollout, layout, n_threads, out, interrupt, [format] { return NextState{format}; });
    }
    for (std::size_t c = 0; c < rollout.cuts.size(); c += CompactRollout::kCutWidth) {
        const Index e = rollout.cuts[c], row = layout.first_rows[static_cast<std::size_t>(e)] + rollout.cuts[c + 1];
        out[static_cast<std::size_t>(row * layout.n_columns + e % layout.n_columns)] = rollout.cuts[c + 2];
    }
}

void decode(const CompactRollout& rollout, const Layout& layout, FlagField field, int n_threads,
            std::span<std::uint8_t> out, const Interrupt& interrupt) {
    const auto has = [&](std::uint8_t flag) {
        decode_records(rollout, layout, n_threads, out, interrupt, [flag](std::uint32_t record) {
            return static_cast<std::uint8_t>((RecordFormat::flags(record) & flag) != 0);
        });
    };
    switch (field) {
        case FlagField::terminated: return has(kTerminated);
        case FlagField::truncated: return has(kTruncated);
        case FlagField::valid:
            decode_records(rollout, layout, n_threads, out, interrupt, [](std::uint32_t) { return std::uint8_t{1}; });
    }
}

void decode(const CompactRollout& rollout, const Layout& layout, Reals table, Index n_actions, int n_threads,
            MutableReals out, const Interrupt& interrupt) {
    const RecordFormat format = rollout.format;
    const auto n_pairs = static_cast<std::uint64_t>(table.size());
    decode_records(rollout, layout, n_threads, out, interrupt, [=](std::uint32_t record) {
        const auto pair = static_cast<std::uint64_t>(Index{format.state(record)} * n_actions + format.action(record));
        if (pair >= n_pairs) throw std::out_of_range("compact: a record outside the table");
        return table[pair];
    });
}

}  // namespace npgfast
