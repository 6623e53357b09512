#include "npgfast/policies/row_features.hpp"

#include <algorithm>
#include <cstdint>

#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

constexpr Index kBlockSize = 1024;      // features of a block
constexpr Index kMostBlockRows = 128;
constexpr Index kPartWork = 1 << 17;    // multiply-adds of one product that are worth a part of their own
constexpr Index kIdentityWork = 8;      // what visiting a number costs without features, in multiply-adds
constexpr double kPartMicroseconds = 10.0;
constexpr Index kMostParts = 64;
constexpr Index kWorkspace = 1 << 23;   // doubles of all parts together, beyond which there are fewer parts
constexpr Index kAlignment = 8;         // doubles in a cache line

Index rounded_up(Index x, Index unit) { return (x + unit - 1) / unit * unit; }

/// The first cache line inside a vector that has one to spare.
double* aligned(std::vector<double>& values) {
    const auto address = reinterpret_cast<std::uintptr_t>(values.data());
    return values.data() + (64 - address % 64) % 64 / sizeof(double);
}

/// Calls `visit(first_column, columns, offset)` for each panel; offset is where its lanes begin when packed.
template <class Visit>
void for_each_column_panel(const RowFeatures& rows, const Visit& visit) {
    Index offset = 0;
    for (Index c = 0; c < rows.n_columns; c += kPanel) {
        const Index columns = std::min(kPanel, rows.n_columns - c);
        visit(c, columns, offset);
        offset += rows.width * panel_lanes(columns);
    }
}

Index packed_size(const RowFeatures& rows) {
    if (!rows.data) return 0;
    const Index rest = rows.n_columns % kPanel;
    return rows.width * (rows.n_columns - rest + (rest > 0 ? panel_lanes(rest) : 0));
}

}  // namespace

RowSweep::RowSweep(const RowFeatures& rows, Team& team, Index visit_work)
    : rows_(rows), team_(team), visit_work_(visit_work) {
    const Index width = rows.data ? rows.width : 1;
    const Index block_rows =
        rows.data ? std::clamp<Index>(kBlockSize / width / 8 * 8, 8, kMostBlockRows) : kBlockSize / rows.n_columns;
    groups_per_block_ = std::max<Index>(block_rows / rows.group, 1);
}

void RowSweep::operator()(Reals vector, const Visit& visit, MutableReals image, MutableReals totals) {
    const Index n_packed = rounded_up(packed_size(rows_), kAlignment), n_totals = ssize(totals);
    const Index n_block = rounded_up(groups_per_block_ * rows_.group_size(), kAlignment);
    const Index slice = n_packed + n_block + rounded_up(n_totals, kAlignment);
    const Index n_groups = rows_.n_groups(), width = rows_.data ? rows_.width : kIdentityWork;
    const Index most_parts = std::clamp<Index>(kWorkspace / slice, 1, kMostParts);
    const Index work = rows_.n_rows * rows_.n_columns * (width + visit_work_);
    const Index wanted = std::clamp<Index>(work / kPartWork, 1, most_parts);
    const Index groups_per_part = rounded_up((n_groups + wanted - 1) / wanted, groups_per_block_);
    const Index n_parts = (n_groups + groups_per_part - 1) / groups_per_part;
    packed_.resize(static_cast<std::size_t>(n_packed + kAlignment));
    workspace_.resize(static_cast<std::size_t>(n_parts * slice + kAlignment));
    double* workspace = aligned(workspace_);
    if (rows_.data && !vector.empty()) pack(vector);
    const auto walk = [&](Index part) {
        double* part_image = workspace + part * slice;
        double* block = part_image + n_packed;
        double* part_totals = block + n_block;
        std::fill_n(part_image, n_packed, 0.0);
        std::fill_n(part_totals, n_totals, 0.0);
        const Index end = std::min(n_groups, (part + 1) * groups_per_part);
        for (Index first = part * groups_per_part; first < end; first += groups_per_block_) {
            const Index last = std::min(end, first + groups_per_block_);
            if (vector.empty()) std::fill_n(block, n_block, 0.0);
            else lift(vector, first, last, block, image.empty() ? Prefetch::all : Prefetch::half);
            visit(first, last, block, part_totals);
            if (image.empty()) continue;
            if (rows_.data)
                project(first, last, block, part_image, vector.empty() ? Prefetch::all : Prefetch::half);
            else
                std::copy_n(block, (last - first) * rows_.group_size(), image.data() + first * rows_.group_size());
        }
    };
    if (team_.pays(kPartMicroseconds * static_cast<double>(n_parts)))
        team_.run(n_parts, walk);
    else
        for (Index part = 0; part < n_parts; ++part) walk(part);
    for (Index part = 1; part < n_parts; ++part) {
        axpy(1.0, workspace + part * slice, workspace, n_packed);
        axpy(1.0, workspace + part * slice + n_packed + n_block, workspace + n_packed + n_block, n_totals);
    }
    std::copy_n(workspace + n_packed + n_block, n_totals, totals.begin());
    if (rows_.data && !image.empty()) unpack(workspace, image);
}

void RowSweep::pack(Reals vector) {
    std::fill(packed_.begin(), packed_.end(), 0.0);
    for_each_column_panel(rows_, [&](Index c, Index columns, Index offset) {
        double* to = aligned(packed_) + offset;
        for (Index j = 0; j < rows_.width; ++j, to += panel_lanes(columns))
            std::copy_n(vector.data() + j * rows_.n_columns + c, columns, to);
    });
}

void RowSweep::unpack(const double* packed, MutableReals image) const {
    for_each_column_panel(rows_, [&](Index c, Index columns, Index offset) {
        const double* from = packed + offset;
        for (Index j = 0; j < rows_.width; ++j, from += panel_lanes(columns))
            std::copy_n(from, columns, image.data() + j * rows_.n_columns + c);
    });
}

void RowSweep::lift(Reals vector, Index first, Index last, double* block, Prefetch prefetch) {
    const Index n = (last - first) * rows_.group;
    if (!rows_.data) {
        std::copy_n(vector.data() + first * rows_.group_size(), n * rows_.n_columns, block);
        return;
    }
    const double* packed = aligned(packed_);
    for_each_column_panel(rows_, [&](Index c, Index columns, Index offset) {
        lift_rows(rows_.data + first * rows_.group * rows_.width, n, rows_.width, columns, packed + offset, block + c,
                  rows_.n_columns, prefetch);
    });
}

void RowSweep::project(Index first, Index last, const double* block, double* packed, Prefetch prefetch) const {
    for_each_column_panel(rows_, [&](Index c, Index columns, Index offset) {
        project_rows(rows_.data + first * rows_.group * rows_.width, (last - first) * rows_.group, rows_.width,
                     rows_.width, columns, block + c, rows_.n_columns, packed + offset, prefetch);
    });
}

}  // namespace npgfast
