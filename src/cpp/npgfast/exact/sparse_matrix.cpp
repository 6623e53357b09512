#include "npgfast/exact/sparse_matrix.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace npgfast {

namespace {

constexpr Index kLongRow = 8;  // entries; from there on a wrong guess costs less than order

/// The entries of some rows of a transpose, in the order of the matrix, are put in that of their rows.
class BucketSort {
public:
    /// `rows`: those of the entries begin..end-1, counted from first_row.
    void sort(SparseMatrix& result, const std::uint16_t* rows, Index first_row, Index n_rows, std::int64_t begin,
              std::int64_t end) {
        cursors_.assign(static_cast<std::size_t>(n_rows), 0);
        for (auto k = begin; k < end; ++k) ++cursors_[rows[k]];
        if (result.order.size() > 0)
            for (Index row = 0; row < n_rows; row += kWindow)
                order_by_length(row, std::min(kWindow, n_rows - row), first_row, result.order.data() + first_row + row);
        std::int64_t next = begin;
        for (Index place = first_row; place < first_row + n_rows; ++place) {
            result.indptr[place] = next;
            next += std::exchange(cursors_[result.row_at(place) - first_row], next);
        }
        indices_.resize(end - begin);
        values_.resize(end - begin);
        std::copy_n(result.indices.data() + begin, end - begin, indices_.data());
        std::copy_n(result.values.data() + begin, end - begin, values_.data());
        for (auto k = begin; k < end; ++k) {
            const std::int64_t place = cursors_[rows[k]]++;
            result.indices[place] = indices_[k - begin];
            result.values[place] = values_[k - begin];
        }
    }

private:
    static constexpr Index kWindow = 256, kLongest = 32;  // longer rows are left as they come

    /// The rows row..row+n-1, whose lengths are known, in the order of those.
    void order_by_length(Index row, Index n, Index first_row, std::int32_t* order) const {
        const auto length = [&](Index i) { return std::min<Index>(cursors_[row + i], kLongest); };
        std::array<std::int32_t, kLongest + 2> begins{};
        for (Index i = 0; i < n; ++i) ++begins[length(i) + 1];
        for (Index k = 0; k <= kLongest; ++k) begins[k + 1] += begins[k];
        for (Index i = 0; i < n; ++i) order[begins[length(i)]++] = static_cast<std::int32_t>(first_row + row + i);
    }

    std::vector<std::int64_t> cursors_;
    Buffer<std::int32_t> indices_;
    Buffer<double> values_;
};

SparseMatrix transpose_part(const SparseMatrix& matrix, bool orders, Team& team) {
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
    if (orders) result.order = Buffer<std::int32_t>(n);
    Buffer<std::uint16_t> rows(n_entries);
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
                rows[place] = static_cast<std::uint16_t>(column & low_bits);
                result.indices[place] = static_cast<std::int32_t>(row);
                result.values[place] = matrix.values[k];
            }
    });
    team.run(kRounds, [&](Index round) {
        BucketSort sorter;
        for (Index bucket = round * n_buckets / kRounds; bucket < (round + 1) * n_buckets / kRounds; ++bucket) {
            const Index first = bucket << shift, last = std::min(n, (bucket + 1) << shift);
            if (first < last)
                sorter.sort(result, rows.data(), first, last - first, begins[bucket], begins[bucket + 1]);
        }
    });
    return result;
}

}  // namespace

SplitMatrix transpose(const SplitMatrix& matrix, Team& team) {
    const bool has_short_rows = matrix.common.n_entries() < kLongRow * matrix.n();
    return {transpose_part(matrix.common, has_short_rows, team),
            matrix.rare.n == 0 ? SparseMatrix() : transpose_part(matrix.rare, false, team)};
}

}  // namespace npgfast
