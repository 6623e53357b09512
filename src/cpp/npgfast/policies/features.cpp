#include "npgfast/policies/features.hpp"

#include <algorithm>
#include <cmath>

#include "npgfast/base/vector.hpp"

namespace npgfast {

void Normalizer::apply(const double* observation, double* normalized, Index size) const {
    if (mean.empty()) {
        std::copy_n(observation, size, normalized);
        return;
    }
    for (Index j = 0; j < size; ++j)
        normalized[j] = std::clamp((observation[j] - mean[j]) * scale[j], -limit, limit);
}

namespace {

void evaluate_tiles(const FeatureMap& map, const double* x, double* features) {
    const Index dim = map.observation_size;
    const Index n_tilings = map.integers[0];
    const std::int32_t* n_tiles = map.integers.data() + 1;
    const double* low = map.reals.data();
    const double* per_unit = low + dim;
    const Index tiling_size = map.n_features / n_tilings;
    std::fill_n(features, map.n_features, 0.0);
    for (Index tiling = 0; tiling < n_tilings; ++tiling) {
        const double* displacement = per_unit + dim + tiling * dim;
        Index tile = 0;
        for (Index j = 0; j < dim; ++j) {
            const double position = (x[j] - low[j]) * per_unit[j] + displacement[j];
            const auto last = static_cast<double>(n_tiles[j] - 1);
            const double place = position > 0.0 ? std::min(std::floor(position), last) : 0.0;  // of a NaN: 0
            tile = tile * n_tiles[j] + static_cast<Index>(place);
        }
        features[tiling * tiling_size + tile] = 1.0;
    }
}

}  // namespace

void FeatureMap::evaluate(const double* x, double* features) const {
    switch (kind) {
        case FeatureKind::linear:
            std::copy_n(x, observation_size, features);
            if (integers[0]) features[observation_size] = 1.0;
            return;
        case FeatureKind::monomials: {
            const std::int32_t* parent = integers.data();
            const std::int32_t* variable = parent + (n_features - 1);
            features[0] = 1.0;
            for (Index k = 1; k < n_features; ++k) features[k] = features[parent[k - 1]] * x[variable[k - 1]];
            return;
        }
        case FeatureKind::waves: {
            const Index n_waves = n_features - integers[0];
            const double* offset = reals.data() + n_waves * observation_size;
            for (Index k = 0; k < n_waves; ++k)
                features[k] = std::sin(dot(reals.data() + k * observation_size, x, observation_size) + offset[k]);
            if (integers[0]) features[n_waves] = 1.0;
            return;
        }
        case FeatureKind::tiles:
            evaluate_tiles(*this, x, features);
            return;
    }
}

}  // namespace npgfast
