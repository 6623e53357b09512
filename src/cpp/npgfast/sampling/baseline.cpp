#include "npgfast/sampling/baseline.hpp"

namespace npgfast {

void fit_table(Integers cells, Reals targets, Reals weights, MutableReals values) {
    std::vector<double> sums(values.size(), 0.0), masses(values.size(), 0.0);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        sums[cells[i]] += weights[i] * targets[i];
        masses[cells[i]] += weights[i];
    }
    for (std::size_t c = 0; c < values.size(); ++c)
        if (masses[c] > 0.0) values[c] = sums[c] / masses[c];
}

}  // namespace npgfast
