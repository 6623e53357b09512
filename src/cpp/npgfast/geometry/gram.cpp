#include "npgfast/geometry/gram.hpp"

#include <algorithm>

#include "npgfast/policies/row_kernels.hpp"

namespace npgfast {

namespace {

/// visit(first_column, columns, offset) for each panel.
template <class Visit>
Index for_each_panel(Index m, const Visit& visit) {
    Index offset = 0;
    for (Index j = 0; j < m; j += kPanel) {
        const Index columns = std::min(kPanel, m - j);
        visit(j, columns, offset);
        offset += (m - j) * panel_lanes(columns);
    }
    return offset;
}

}  // namespace

Index gram_size(Index m) {
    return for_each_panel(m, [](Index, Index, Index) {});
}

void add_gram(const double* phi, Index n, Index m, const double* coefficients, double* scratch, double* gram) {
    for_each_panel(m, [&](Index j, Index columns, Index offset) {
        for (Index i = 0; i < n; ++i)
            for (Index k = 0; k < columns; ++k) scratch[i * columns + k] = coefficients[i] * phi[i * m + j + k];
        project_rows(phi + j, n, m - j, m, columns, scratch, columns, gram + offset, Prefetch::none);
    });
}

void unpack_gram(const double* gram, Index m, MutableReals square) {
    for_each_panel(m, [&](Index j, Index columns, Index offset) {
        for (Index i = j; i < m; ++i)
            for (Index k = 0; k < std::min(columns, i - j + 1); ++k)
                square[i * m + j + k] = square[(j + k) * m + i] = gram[offset + (i - j) * panel_lanes(columns) + k];
    });
}

}  // namespace npgfast
