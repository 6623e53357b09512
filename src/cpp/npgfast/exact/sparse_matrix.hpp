#pragma once

#include <algorithm>
#include <vector>

#include "npgfast/base/buffer.hpp"
#include "npgfast/base/parallel.hpp"
#include "npgfast/problems/tabular_mdp.hpp"

namespace npgfast {

/// A square sparse matrix K in CSR; an entry may be listed in several pieces.
///
/// Rows may stand in another order, in which neighbours are of about a length: the end of a row is then foreseen by the
/// processor, where a wrong guess takes as long as several entries.
struct SparseMatrix {
    Index n = 0;
    Buffer<std::int64_t> indptr;  ///< of places
    Buffer<std::int32_t> indices;
    Buffer<double> values;
    Buffer<std::int32_t> order;  ///< the row at each place, or empty where that is its number

    Index row_at(Index place) const { return order.size() == 0 ? place : order[place]; }

    /// visit(place, row) for places first..last-1.
    template <class Visit>
    void each_row(Index first, Index last, const Visit& visit) const {
        if (const std::int32_t* const rows = order.size() == 0 ? nullptr : order.data())
            for (Index place = first; place < last; ++place) visit(place, Index{rows[place]});
        else
            for (Index place = first; place < last; ++place) visit(place, place);
    }

    Index n_entries() const { return indices.size(); }

    /// Whether a pass over the entries evicts what else the caches hold.
    bool is_large() const { return n_entries() > 1'000'000; }

    /// Asks for what comes half a thousand entries after a place, to be read once and to leave the caches to vectors.
    void prefetch_after(Index place) const {
        constexpr Index kAhead = 512, kLine = 8;
        for (std::int64_t k = indptr[place]; k < indptr[place + 1]; k += kLine) {
            __builtin_prefetch(values.data() + k + kAhead, 0, 0);
            __builtin_prefetch(indices.data() + k + kAhead, 0, 0);
        }
    }

    /// (K x)(the row at a place)
    double row_product(Index place, const double* x) const {
        double even = 0.0, odd = 0.0;
        std::int64_t k = indptr[place];
        const std::int64_t end = indptr[place + 1];
        for (; k + 1 < end; k += 2) {
            even += values[k] * x[indices[k]];
            odd += values[k + 1] * x[indices[k + 1]];
        }
        if (k < end) even += values[k] * x[indices[k]];
        return even + odd;
    }
};

/// K in two parts: `common` has the entries that every sweep reads, `rare` those so small that only residuals need
/// them. rare.n = 0 where there are none. Places are those of `common`; the rows of `rare` stand in their own order.
struct SplitMatrix {
    SparseMatrix common, rare;

    Index n() const { return common.n; }
    Index n_entries() const { return common.n_entries() + rare.n_entries(); }
    Index row_at(Index place) const { return common.row_at(place); }
    double rare_product(Index row, const double* x) const { return rare.n == 0 ? 0.0 : rare.row_product(row, x); }
    double row_product(Index place, const double* x) const {
        return common.row_product(place, x) + rare_product(row_at(place), x);
    }

    /// visit(column, value) for the entries of the row at a place.
    template <class Visit>
    void each_entry(Index place, const Visit& visit) const {
        const auto each = [&](const SparseMatrix& part, Index i) {
            for (auto k = part.indptr[i]; k < part.indptr[i + 1]; ++k) visit(part.indices[k], part.values[k]);
        };
        each(common, place);
        if (rare.n > 0) each(rare, row_at(place));
    }
};

/// Rows of a kernel mixed into the rows of a matrix: K(i, column) = sum_row weight gamma P(column | row).
///
/// Inputs: `n` rows; `pick(i, take)` calls take(row, weight) for the rows of the kernel that make row i, in the same
/// order each time, row by row and from any thread; `column_of` (S,) renames the columns, or is empty.
/// Cost: two passes over the entries, 12 bytes written for each; bound by memory.
template <class Pick>
SparseMatrix mix_rows(const TabularMdp& mdp, Index n, Integers column_of, Team& team, const Pick& pick) {
    SparseMatrix matrix;
    matrix.n = n;
    matrix.indptr = Buffer<std::int64_t>(n + 1);
    std::int64_t* indptr = matrix.indptr.data();
    indptr[0] = 0;
    team.split(n, [&](Index first, Index last) {
        for (Index i = first; i < last; ++i) {
            std::int64_t count = 0;
            pick(i, [&](Index row, double) { count += mdp.indptr[row + 1] - mdp.indptr[row]; });
            indptr[i + 1] = count;
        }
    });
    for (Index i = 0; i < n; ++i) indptr[i + 1] += indptr[i];
    matrix.indices = Buffer<std::int32_t>(indptr[n]);
    matrix.values = Buffer<double>(indptr[n]);
    team.split(n, [&](Index first, Index last) {
        std::int32_t* index = matrix.indices.data() + indptr[first];
        double* value = matrix.values.data() + indptr[first];
        for (Index i = first; i < last; ++i)
            pick(i, [&](Index row, double weight) {
                for (auto k = mdp.indptr[row]; k < mdp.indptr[row + 1]; ++k) {
                    *index++ = column_of.empty() ? mdp.indices[k] : column_of[mdp.indices[k]];
                    *value++ = mdp.gamma * (weight * mdp.probabilities[k]);
                }
            });
    });
    return matrix;
}

/// K^T of a K whose rows stand in their own order; those of `common` are ordered by length, 256 at a time, if they are
/// short.
///
/// The entries of a row are in the order of K's rows. Tiling: the entries are written into buckets of neighbouring
/// rows, of about 16,000 entries, one after another; then each bucket is sorted within the second cache. The rows of K
/// are cut into four shares, each with its own cursors, whatever the team. Cost: three passes over the entries,
/// 26 bytes written for each; bound by memory.
SplitMatrix transpose(const SplitMatrix& matrix, Team& team);

/// Sums over 0..n-1 whose rounding does not depend on the number of threads: `part(first, last)` of each block of 256
/// indices, added up in order.
class BlockSums {
public:
    static constexpr Index kBlock = 256;

    explicit BlockSums(Index n) : n_(n), sums_(static_cast<std::size_t>((n + kBlock - 1) / kBlock)) {}

    template <class Part>
    double add_up(Team& team, const Part& part) {
        team.split(std::ssize(sums_), [&](Index first, Index last) {
            for (Index b = first; b < last; ++b) sums_[b] = part(b * kBlock, std::min(n_, (b + 1) * kBlock));
        });
        double total = 0.0;
        for (double sum : sums_) total += sum;
        return total;
    }

private:
    Index n_;
    std::vector<double> sums_;
};

}  // namespace npgfast
