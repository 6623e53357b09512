#pragma once

#include "npgfast/base/group.hpp"

namespace npgfast {

/// The observation that the features see: clamp((o - mean) * scale, -limit, limit), componentwise.
struct Normalizer {
    Reals mean;          ///< (D,), or empty: observations as they are
    Reals scale;         ///< (D,) 1 / standard deviation
    double limit = 0.0;  ///< > 0

    /// Of n observations (size, kGroup) of a group.
    void apply(Index n, Index size, const double* observations, double* normalized) const;
};

enum class FeatureKind : int { linear = 0, monomials, waves, tiles };

/// A feature map phi: R^D -> R^m, described by two flat tables.
///
///     linear     phi = (x, 1)                    integers: [bias],  m = D + bias
///     monomials  phi_0 = 1, phi_k = phi_p(k) x_v(k)    integers: p(1..m-1), then v(1..m-1), p(k) < k
///     waves      phi_k = sin(M_k . x + b_k), and 1     integers: [bias]; reals: M (m - bias, D), then b
///     tiles      phi = 1 in one tile of each tiling    integers: [tilings, tiles of each dimension (D)];
///                reals: low (D,), tiles per unit (D,), displacement of each tiling in tiles (tilings, D)
///
/// Fourier bases are waves, as cos x = sin(x + pi/2). Observations outside a tiling fall into its outermost tiles,
/// and NaN into the first.
/// Preconditions: the tables have the lengths above. Cost of one evaluation: m (waves: m D). A register of lanes at a
/// time, tiles lane by lane; waves are bound by arithmetic, the others by their stores.
/// Source: Konidaris, Osentoski & Thomas 2011 (Fourier basis); Rahimi & Recht 2007 and Rajeswaran et al. 2017, eq. (6)
/// (random Fourier features); Sutton & Barto 2018, sections 9.5.1 and 9.5.4 (polynomials, tile coding).
struct FeatureMap {
    FeatureKind kind = FeatureKind::linear;
    Index observation_size = 0;
    Index n_features = 0;
    Integers integers;
    Reals reals;

    /// phi of n observations x (D, kGroup) of a group into features (m, kGroup); they may not alias.
    void evaluate(Index n, const double* x, double* features) const;

    /// Tiles: the feature that is 1 in a tiling, for lane `lane` of x. Cost: D.
    Index tile(Index tiling, const double* x, Index lane) const;
};

}  // namespace npgfast
