"""Values of ``--features``."""

from collections.abc import Callable, Mapping

from npgfast.cli.failures import WrongUsage
from npgfast.features import FeatureMap, Fourier, Linear, Polynomial, RandomFourier, TileCoding
from npgfast.policies import LinearGaussian, LinearPolicy, LinearSoftmax

__all__ = ["FORMS", "with_features"]

FORMS = "linear, polynomial:DEGREE, fourier:ORDER, rff:WAVES or tiles:TILESxTILINGS"

_MAPS: Mapping[str, tuple[int, Callable[..., FeatureMap]]] = {
    "linear": (0, Linear),
    "polynomial": (1, lambda dim, degree: Polynomial(dim, degree=degree)),
    "fourier": (1, lambda dim, order: Fourier(dim, order=order)),
    "rff": (1, lambda dim, n_waves: RandomFourier(dim, n_waves=n_waves)),
    "tiles": (2, lambda dim, n_tiles, n_tilings: TileCoding(dim, n_tiles=n_tiles, n_tilings=n_tilings)),
}


def with_features(policy: LinearPolicy, text: str) -> LinearPolicy:
    """The initial policy like `policy`, on features such as "fourier:3".

    Raises
    ------
    WrongUsage
        If the text names none.
    ValueError
        If the features cannot be made.
    """
    name, _, rest = text.partition(":")
    numbers = rest.split("x") if rest else []
    n_numbers, make = _MAPS.get(name, (-1, Linear))
    if len(numbers) != n_numbers or not all(number.isdecimal() for number in numbers):
        msg = f"--features {text}: expected {FORMS}"
        raise WrongUsage(msg)
    features = make(policy.observation_size, *map(int, numbers))
    if isinstance(policy, LinearGaussian):
        return LinearGaussian(
            features, policy.action_size, initial_log_std=policy.log_std, log_std_bounds=policy.log_std_bounds
        )
    return LinearSoftmax(features, policy.n_actions)
