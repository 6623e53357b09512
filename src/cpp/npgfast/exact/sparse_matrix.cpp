#include "npgfast/exact/sparse_matrix.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace npgfast {

namespace {

/// The entries of some rows of a transpose, in the order of the matrix, are put in that of their rows.
class BucketSort {
public:
    /// `places`: rows of the entries begin..end-1, counted from first_row.
    void sort(SparseMatrix& result, const std::uint16_t* places, Index first_row, Index n_rows, std::int64_t begin,
              std::int64_t end) {
        cursors_.assign(static_cast<std::size_t>(n_rows), 0);
        for (auto k = begin; k < end; ++k) ++cursors_[places[k]];
        std::int64_t next = begin;
        for (Index row = 0; row < n_rows; ++row) {
            result.indptr[first_row + row] = next;
            next += std::exchange(cursors_[row], next);
        }
        indices_.resize(end - begin);
        values_.resize(end - begin);
        std::copy_n(result.indices.data() + begin, end - begin, indices_.data());
        std::copy_n(result.values.data() + begin, end - begin, values_.data());
        for (auto k = begin; k < end; ++k) {
            const std::int64_t place = cursors_[places[k]]++;
            result.indices[place] = indices_[k - begin];
            result.values[place] = values_[k - begin];
        }
    }

private:
    std::vector<std::int64_t> cursors_;
    Buffer<std::int32_t> indices_;
    Buffer<double> values_;
};

}  // namespace

SparseMatrix transpose(const SparseMatrix& matrix, Team& team) {
    constexpr Index kShares = 4;       // of the rows of the matrix; each with its own cursors
    constexpr Index kEntries = 16384;  // of a bucket
    constexpr Index kMostBuckets = 2048, kRounds = 64;
    const Index n = matrix.n, n_entries = matrix.n_entries();
    int shift = 0;  // a bucket has 2^shift rows
    while (shift < 16 && (n >> shift) >= std::clamp<Index>(n_entries / kEntries, 1, kMostBuckets)) ++shift;
    const Index n_buckets = (n >> shift) + 1;
    SparseMatrix result;
    result.n = n;
    result.indptr = Buffer<std::int64_t>(n + 1);
    result.indices = Buffer<std::int32_t>(n_entries);
    result.values = Buffer<double>(n_entries);
    Buffer<std::uint16_t> places(n_entries);
    using Cursors = std::vector<std::int64_t>;
    std::vector<Cursors> cursors(kShares, Cursors(static_cast<std::size_t>(n_buckets)));
    const auto first_row = [n](Index share) { return share * n / kShares; };
    team.run(kShares, [&](Index share) {
        std::int64_t* counts = cursors[share].data();
        for (auto k = matrix.indptr[first_row(share)]; k < matrix.indptr[first_row(share + 1)]; ++k)
            ++counts[matrix.indices[k] >> shift];
    });
    std::vector<std::int64_t> begins(static_cast<std::size_t>(n_buckets) + 1);
    std::int64_t begin = 0;
    for (Index bucket = 0; bucket < n_buckets; ++bucket) {
        begins[bucket] = begin;
        for (auto& cursor : cursors) begin += std::exchange(cursor[bucket], begin);
    }
    begins[n_buckets] = result.indptr[n] = begin;
    team.run(kShares, [&](Index share) {
        std::int64_t* cursor = cursors[share].data();
        const std::int32_t low_bits = (std::int32_t{1} << shift) - 1;
        for (Index row = first_row(share); row < first_row(share + 1); ++row)
            for (auto k = matrix.indptr[row]; k < matrix.indptr[row + 1]; ++k) {
                const std::int32_t column = matrix.indices[k];
                const std::int64_t place = cursor[column >> shift]++;
                places[place] = static_cast<std::uint16_t>(column & low_bits);
                result.indices[place] = static_cast<std::int32_t>(row);
                result.values[place] = matrix.values[k];
            }
    });
    team.run(kRounds, [&](Index round) {
        BucketSort sorter;
        for (Index bucket = round * n_buckets / kRounds; bucket < (round + 1) * n_buckets / kRounds; ++bucket) {
            const Index first = bucket << shift, last = std::min(n, (bucket + 1) << shift);
            if (first < last)
                sorter.sort(result, places.data(), first, last - first, begins[bucket], begins[bucket + 1]);
        }
    });
    return result;
}

SplitMatrix transpose(const SplitMatrix& matrix, Team& team) {
    return {transpose(matrix.common, team), matrix.rare.n == 0 ? SparseMatrix() : transpose(matrix.rare, team)};
}

}  // namespace npgfast
