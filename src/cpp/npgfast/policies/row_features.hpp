#pragma once

#include <functional>
#include <vector>

#include "npgfast/base/parallel.hpp"
#include "npgfast/base/types.hpp"
#include "npgfast/policies/row_kernels.hpp"

namespace npgfast {

/// A matrix Phi of features that a vector W (width, n_columns) meets from the right, both row-major.
///
/// Softmax: phi(s) shared by the actions has a column of W for each action; phi(s, a) has one column, and the rows of a
/// state form a group. `data` null: the identity on n_rows * n_columns numbers, the tabular softmax.
struct RowFeatures {
    const double* data = nullptr;
    Index n_rows = 0;
    Index width = 0;
    Index n_columns = 1;
    Index group = 1;  ///< rows that are visited together; divides n_rows

    Index n_groups() const { return n_rows / group; }
    Index group_size() const { return group * n_columns; }
    Index n_params() const { return data ? width * n_columns : n_rows * n_columns; }
};

/// One pass over the features that multiplies by Phi, changes the product, and multiplies by Phi^T.
///
///     U = Phi vector,   visit(U) changes U and adds to totals,   image = Phi^T U
///
/// Inputs of a call: vector (n_params,), or empty: U starts at 0; `visit(first, last, U, totals)` is given groups
/// [first, last), their rows of U ((last - first), group_size) and the totals of its part of the data, which start
/// at 0; it may run on several threads at once, on groups of their own.
/// Outputs: image (n_params,), unless empty; totals, unless empty. None may alias.
///
/// Tiling: the rows are cut into at most 64 parts, by sizes alone; each part has an image and totals of its own, which
/// are added in the order of the parts, so that no result depends on the number of threads. A part is walked in blocks
/// of about 8 KB of features, which the second product finds in the first-level cache. Inside a block, 8 rows (4 or 2
/// where registers are few) times up to 8 columns of U stay in registers while the width is walked: a row's columns
/// fill the lanes of a register, and each feature is broadcast to them. A single column has the features along the
/// lanes instead. Lines 32 KB ahead are prefetched at an even rate during both products.
/// Bound by: multiply-adds from 4 columns on (4 n_rows width n_columns of them for both products), by memory below,
/// where the features are read once. Short passes stay on the calling thread (Team::pays).
class RowSweep {
public:
    using Visit = std::function<void(Index first, Index last, double* block, double* totals)>;

    /// `visit_work`: the multiply-adds that take as long as a visit does for each number of U, if that is long.
    RowSweep(const RowFeatures& rows, Team& team, Index visit_work = 0);

    void operator()(Reals vector, const Visit& visit, MutableReals image, MutableReals totals = {});

private:
    void pack(Reals vector);
    void unpack(const double* packed, MutableReals image) const;
    void lift(Reals vector, Index first, Index last, double* block, Prefetch prefetch);
    void project(Index first, Index last, const double* block, double* packed, Prefetch prefetch) const;

    RowFeatures rows_;
    Team& team_;
    Index visit_work_, groups_per_block_;
    std::vector<double> packed_;     ///< the vector, columns padded to the lanes of a register
    std::vector<double> workspace_;  ///< for each part: its image, packed, a block of U, and its totals
};

}  // namespace npgfast
