#include "npgfast/exact/sparse_matrix.hpp"

#include <utility>

namespace npgfast {

SparseMatrix transpose(const SparseMatrix& matrix, Team& team) {
    constexpr Index kShares = 4;  // of the rows; each with its own cursors
    const Index n = matrix.n;
    SparseMatrix result;
    result.n = n;
    result.indptr = Buffer<std::int64_t>(n + 1);
    result.indices = Buffer<std::int32_t>(matrix.n_entries());
    result.values = Buffer<double>(matrix.n_entries());
    const auto first_row = [n](Index share) { return share * n / kShares; };
    std::vector<Buffer<std::int64_t>> cursors;
    for (Index share = 0; share < kShares; ++share) cursors.emplace_back(n);
    team.split(kShares, [&](Index first, Index last) {
        for (Index share = first; share < last; ++share) {
            std::int64_t* counts = cursors[share].data();
            std::fill_n(counts, n, 0);
            for (auto k = matrix.indptr[first_row(share)]; k < matrix.indptr[first_row(share + 1)]; ++k)
                ++counts[matrix.indices[k]];
        }
    });
    std::int64_t begin = 0;
    for (Index row = 0; row < n; ++row) {
        result.indptr[row] = begin;
        for (auto& cursor : cursors) begin += std::exchange(cursor[row], begin);
    }
    result.indptr[n] = begin;
    team.split(kShares, [&](Index first, Index last) {
        for (Index share = first; share < last; ++share) {
            std::int64_t* cursor = cursors[share].data();
            for (Index row = first_row(share); row < first_row(share + 1); ++row)
                for (auto k = matrix.indptr[row]; k < matrix.indptr[row + 1]; ++k) {
                    const std::int64_t place = cursor[matrix.indices[k]]++;
                    result.indices[place] = static_cast<std::int32_t>(row);
                    result.values[place] = matrix.values[k];
                }
        }
    });
    return result;
}

SplitMatrix transpose(const SplitMatrix& matrix, Team& team) {
    return {transpose(matrix.common, team), matrix.rare.n == 0 ? SparseMatrix() : transpose(matrix.rare, team)};
}

}  // namespace npgfast
