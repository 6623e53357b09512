"""Classic and random problems. Every function returns a `TabularMDP`; randomness comes from a PCG64 keyed by `seed`.

Optima that are known in closed form or from the literature are data in `npgfast.problems.KNOWN_OPTIMA`.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from npgfast import _validate
from npgfast.problems.kernel import Entries
from npgfast.problems.outcomes import Outcome, mdp_from_outcomes
from npgfast.problems.tabular_mdp import TabularMDP

__all__ = [
    "chain",
    "deep_sea",
    "forest",
    "frozen_lake",
    "gambler",
    "garnet",
    "gridworld",
    "inventory",
    "random_dense",
    "river_swim",
    "sutton_barto_grid",
    "two_state",
]

Cell = tuple[int, int]

_LEFT_DOWN_RIGHT_UP = ((0, -1), (1, 0), (0, 1), (-1, 0))
_LAKES = {
    "4x4": ("SFFF", "FHFH", "FFFH", "HFFG"),
    "8x8": ("SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"),
}


def garnet(
    n_states: int,
    n_actions: int,
    branching: int,
    *,
    gamma: float,
    seed: int,
    termination: float = 0.0,
    horizon: int | None = None,
) -> TabularMDP:
    """Random sparse problem: every (s, a) has `branching` successors.

    Parameters
    ----------
    n_states, n_actions : int
        S and A.
    branching : int
        Number of distinct successors of each (s, a), drawn uniformly; their probabilities are the spacings of
        branching - 1 uniform cuts of [0, 1].
    gamma : float
        Discount.
    seed : int
        Key of the generator.
    termination : float
        Probability in [0, 1] that a step ends the episode, the same for all (s, a).
    horizon : int, optional
        Steps of the objective.

    Returns
    -------
    TabularMDP
        Rewards are uniform in [0, 1); the initial distribution is uniform. Cost O(S A branching^2).

    Raises
    ------
    TypeError, ValueError
        For arguments out of range.

    References
    ----------
    Archibald, McKinnon, Thomas (1995), On the generation of Markov decision processes, J. Oper. Res. Soc. 46.
    Bhatnagar, Sutton, Ghavamzadeh, Lee (2009), Natural actor-critic algorithms, Automatica 45, section 6 (there rewards
    are normal).

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.garnet(5, 2, 3, gamma=0.9, seed=0)
    TabularMDP(n_states=5, n_actions=2, nnz=30, gamma=0.9, horizon=None)
    """
    n_states, n_actions = _sizes(n_states, n_actions)
    branching = _validate.integer("branching", branching, low=1, high=n_states)
    end = _validate.real("termination", termination, low=0.0, high=1.0)
    rng, n_rows = _generator(seed), n_states * n_actions
    _validate.allocation("garnet (S * A * branching)", n_rows, branching)
    columns = np.full((n_rows, branching), -1, np.int64)
    # Floyd's algorithm, one column at a time for all rows: a uniform subset without rejection.
    for k, last in enumerate(range(n_states - branching, n_states)):
        drawn = rng.integers(0, last + 1, n_rows)
        taken = np.any(columns[:, :k] == drawn[:, None], axis=1)
        columns[:, k] = np.where(taken, last, drawn)
    cuts = np.zeros((n_rows, branching + 1))
    cuts[:, -1] = 1.0
    cuts[:, 1:-1] = np.sort(rng.random((n_rows, branching - 1)), axis=1)
    rows = np.repeat(np.arange(n_rows), branching)
    entries = Entries(n_states, n_actions, rows, columns.ravel(), (1.0 - end) * np.diff(cuts, axis=1).ravel())
    shape = (n_states, n_actions)
    return TabularMDP(entries, rng.random(shape), termination=np.full(shape, end), gamma=gamma, horizon=horizon)


def random_dense(
    n_states: int, n_actions: int, *, gamma: float, seed: int, termination: float = 0.0, horizon: int | None = None
) -> TabularMDP:
    """Random dense problem: rows are uniform on the simplex.

    Parameters
    ----------
    n_states, n_actions : int
        S and A.
    gamma : float
        Discount.
    seed : int
        Key of the generator.
    termination : float
        Probability in [0, 1] that a step ends the episode, the same for all (s, a).
    horizon : int, optional
        Steps of the objective.

    Returns
    -------
    TabularMDP
        Rows are Dirichlet(1, ..., 1), rewards uniform in [0, 1), the initial distribution uniform.

    Raises
    ------
    TypeError, ValueError, MemoryError
        For arguments out of range.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.random_dense(3, 2, gamma=0.9, seed=0).dense().shape
    (3, 2, 3)
    """
    n_states, n_actions = _sizes(n_states, n_actions)
    end = _validate.real("termination", termination, low=0.0, high=1.0)
    _validate.allocation("random_dense (S * A * S)", n_states, n_actions, n_states)
    rng, shape = _generator(seed), (n_states, n_actions)
    kernel = rng.standard_exponential((n_states, n_actions, n_states))
    kernel *= (1.0 - end) / kernel.sum(axis=2, keepdims=True)
    return TabularMDP(kernel, rng.random(shape), termination=np.full(shape, end), gamma=gamma, horizon=horizon)


def gridworld(
    n_rows: int,
    n_columns: int,
    *,
    walls: Sequence[Cell] = (),
    goals: Mapping[Cell, float] | None = None,
    step_reward: float = -1.0,
    slip: float = 0.0,
    start: Cell | None = None,
    gamma: float = 1.0,
    horizon: int | None = None,
) -> TabularMDP:
    """Grid with walls and goals; actions 0 left, 1 down, 2 right, 3 up.

    Parameters
    ----------
    n_rows, n_columns : int
        Size; the state of cell (row, column) is ``row * n_columns + column``.
    walls : sequence of (int, int)
        Cells that cannot be entered; a move into one, or off the grid, stays.
    goals : mapping of (int, int) to float, optional
        Entering a goal ends the episode and pays its reward besides `step_reward`; the lower right corner, paying 0, if
        None.
    step_reward : float
        Reward per step.
    slip : float
        Probability in [0, 1] of moving to one of the two sides instead, half each.
    start : (int, int), optional
        First cell; uniform over the cells that are neither wall nor goal if None.
    gamma, horizon
        The objective.

    Returns
    -------
    TabularMDP
        Wall and goal cells are states whose every action ends with reward 0; they are never entered.

    Raises
    ------
    TypeError, ValueError
        For cells off the grid, a start inside a wall or goal, or no free cell.

    References
    ----------
    Sutton, Barto (2018), Reinforcement Learning, 2nd ed., example 4.1.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.gridworld(3, 3, walls=[(1, 1)], start=(0, 0)).n_states
    9
    """
    n_rows = _validate.integer("n_rows", n_rows, low=1)
    n_columns = _validate.integer("n_columns", n_columns, low=1)
    cost = _validate.real("step_reward", step_reward)
    side = _validate.real("slip", slip, low=0.0, high=1.0)
    blocked = {_cell("walls", cell, n_rows, n_columns) for cell in walls}
    given = {(n_rows - 1, n_columns - 1): 0.0} if goals is None else goals
    prizes = {
        _cell("goals", cell, n_rows, n_columns): _validate.real(f"goals[{cell}]", prize)
        for cell, prize in given.items()
    }
    free = [
        (row, column)
        for row in range(n_rows)
        for column in range(n_columns)
        if (row, column) not in blocked and (row, column) not in prizes
    ]
    first = free if start is None else [_cell("start", start, n_rows, n_columns)]
    if not first or first[0] not in free:
        msg = f"start={start}: expected a cell that is neither wall nor goal"
        raise ValueError(msg)
    mu = np.zeros(n_rows * n_columns)
    mu[[row * n_columns + column for row, column in first]] = 1.0 / len(first)

    def outcomes() -> Iterator[Outcome]:
        inside = set(free)
        for s in range(n_rows * n_columns):
            cell = divmod(s, n_columns)
            for a in range(4):
                if cell not in inside:
                    yield s, a, 1.0, s, 0.0, True
                    continue
                for b, chance in (((a - 1) % 4, side / 2), (a, 1.0 - side), ((a + 1) % 4, side / 2)):
                    to = _move(cell, b, n_rows, n_columns)
                    to = cell if to in blocked else to
                    yield s, a, chance, to[0] * n_columns + to[1], cost + prizes.get(to, 0.0), to in prizes

    return mdp_from_outcomes(n_rows * n_columns, 4, outcomes(), initial_distribution=mu, gamma=gamma, horizon=horizon)


def frozen_lake(
    map_name: str | Sequence[str] = "4x4",
    *,
    slippery: bool = True,
    success_rate: float = 1.0 / 3.0,
    gamma: float = 1.0,
    horizon: int | None = None,
) -> TabularMDP:
    """Gymnasium's FrozenLake, built without Gymnasium; equal to ``from_gymnasium("FrozenLake-v1", ...)``.

    Parameters
    ----------
    map_name : {"4x4", "8x8"} or sequence of str
        A map of that size, or rows of S (start), F (frozen), H (hole), G (goal).
    slippery : bool
        Whether a move goes to either side with probability (1 - success_rate) / 2 each.
    success_rate : float
        Probability of the intended direction on slippery ice.
    gamma, horizon
        The objective. Gymnasium's own time limit is 100 steps (4x4) and 200 (FrozenLake8x8-v1).

    Returns
    -------
    TabularMDP
        Reward 1 for entering the goal; actions 0 left, 1 down, 2 right, 3 up.

    Raises
    ------
    TypeError, ValueError
        For an unknown map or letter, rows of unequal length, or a map without start.

    References
    ----------
    Farama Foundation, Gymnasium, toy-text environment FrozenLake-v1.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.frozen_lake("8x8", gamma=0.99).n_states
    64
    """
    rows = _LAKES[_validate.choice("map_name", map_name, tuple(_LAKES))] if isinstance(map_name, str) else map_name
    n_rows, n_columns = len(rows), len(rows[0]) if len(rows) else 0
    if n_columns == 0 or any(len(row) != n_columns for row in rows):
        msg = f"map_name: expected rows of equal length, got lengths {[len(row) for row in rows]}"
        raise ValueError(msg)
    letters = "".join(rows)
    if set(letters) - set("SFHG") or "S" not in letters:
        msg = f"map_name: expected letters S, F, H, G and at least one S, got {''.join(sorted(set(letters)))!r}"
        raise ValueError(msg)
    success = _validate.real("success_rate", success_rate, low=0.0, high=1.0)
    fail = (1.0 - success) / 2.0
    starts = np.array([letter == "S" for letter in letters], np.float64)

    def outcomes() -> Iterator[Outcome]:
        for s, letter in enumerate(letters):
            for a in range(4):
                if letter in "GH":
                    yield s, a, 1.0, s, 0.0, True
                    continue
                sides = (((a - 1) % 4, fail), (a, success), ((a + 1) % 4, fail)) if slippery else ((a, 1.0),)
                for b, chance in sides:
                    row, column = _move(divmod(s, n_columns), b, n_rows, n_columns)
                    to = row * n_columns + column
                    yield s, a, chance, to, float(letters[to] == "G"), letters[to] in "GH"

    return mdp_from_outcomes(
        len(letters), 4, outcomes(), initial_distribution=starts / starts.sum(), gamma=gamma, horizon=horizon
    )


def chain(n_states: int = 5, *, slip: float = 0.2, gamma: float = 0.99, horizon: int | None = None) -> TabularMDP:
    """Chain where walking on pays 10 at its end, and going back to the start pays 2 at once.

    Parameters
    ----------
    n_states : int
        Length; the paper's is 5.
    slip : float
        Probability in [0, 1] that the other action happens.
    gamma, horizon
        The objective.

    Returns
    -------
    TabularMDP
        Action 0 walks on (reward 10 in the last state, which it does not leave, else 0), action 1 returns to state 0
        with reward 2. Episodes start in state 0.

    References
    ----------
    Dearden, Friedman, Russell (1998), Bayesian Q-learning, AAAI, figure 1. Strens (2000), ICML.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.chain(slip=0.0).rewards[4]
    array([10.,  2.])
    """
    n_states = _validate.integer("n_states", n_states, low=1)
    wrong = _validate.real("slip", slip, low=0.0, high=1.0)

    def outcomes() -> Iterator[Outcome]:
        for s in range(n_states):
            last = s == n_states - 1
            for a, forward in ((0, 1.0 - wrong), (1, wrong)):
                yield s, a, forward, s if last else s + 1, 10.0 if last else 0.0, False
                yield s, a, 1.0 - forward, 0, 2.0, False

    return mdp_from_outcomes(
        n_states, 2, outcomes(), initial_distribution=_point(n_states, 0), gamma=gamma, horizon=horizon
    )


def river_swim(n_states: int = 6, *, gamma: float = 0.95, horizon: int | None = None) -> TabularMDP:
    """River whose current carries the swimmer back: 5 per step at the left bank, 10000 at the far right.

    Parameters
    ----------
    n_states : int
        Length, at least 3; the paper's is 6.
    gamma, horizon
        The objective.

    Returns
    -------
    TabularMDP
        Action 0 (left) always succeeds and pays 5 in state 0. Action 1 (right) advances with probability .3, stays with
        .6, falls back with .1; in state 0 it stays with .7, in the last state it stays with .3, paying 10000 when it
        does, and falls back with .7. Episodes start in state 1 or 2.

    References
    ----------
    Strehl, Littman (2008), An analysis of model-based interval estimation for Markov decision processes, J. Comput.
    Syst. Sci. 74, figure 1.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.river_swim().dense()[5, 1]
    array([0. , 0. , 0. , 0. , 0.7, 0.3])
    """
    n_states = _validate.integer("n_states", n_states, low=3)
    last = n_states - 1
    mu = np.zeros(n_states)
    mu[1:3] = 0.5

    def outcomes() -> Iterator[Outcome]:
        for s in range(n_states):
            yield s, 0, 1.0, max(s - 1, 0), 5.0 if s == 0 else 0.0, False
            if s == last:
                yield s, 1, 0.3, s, 10000.0, False
                yield s, 1, 0.7, s - 1, 0.0, False
                continue
            yield s, 1, 0.3, s + 1, 0.0, False
            yield s, 1, 0.7 if s == 0 else 0.6, s, 0.0, False
            if s > 0:
                yield s, 1, 0.1, s - 1, 0.0, False

    return mdp_from_outcomes(n_states, 2, outcomes(), initial_distribution=mu, gamma=gamma, horizon=horizon)


def forest(
    n_states: int = 3,
    *,
    wait_reward: float = 4.0,
    cut_reward: float = 2.0,
    fire: float = 0.1,
    gamma: float = 0.96,
    horizon: int | None = None,
) -> TabularMDP:
    """Forest that grows by a year unless it burns; wait (action 0) or cut (action 1).

    Parameters
    ----------
    n_states : int
        Ages 0 (youngest) to S - 1 (oldest), at least 2.
    wait_reward : float
        Reward for waiting in the oldest state.
    cut_reward : float
        Reward for cutting in the oldest state; cutting pays 1 at ages between and 0 in the youngest.
    fire : float
        Probability in [0, 1] that waiting ends in state 0.
    gamma, horizon
        The objective.

    Returns
    -------
    TabularMDP
        The initial distribution is uniform.

    References
    ----------
    Chades, Chapron, Cros, Garcia, Sabbadin (2014), MDPtoolbox, Ecography 37; pymdptoolbox, ``example.forest``.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.forest().rewards[2]
    array([4., 2.])
    """
    n_states = _validate.integer("n_states", n_states, low=2)
    burns = _validate.real("fire", fire, low=0.0, high=1.0)
    last = n_states - 1
    wait = _validate.real("wait_reward", wait_reward)
    cut = _validate.real("cut_reward", cut_reward)

    def outcomes() -> Iterator[Outcome]:
        for s in range(n_states):
            yield s, 0, burns, 0, wait if s == last else 0.0, False
            yield s, 0, 1.0 - burns, min(s + 1, last), wait if s == last else 0.0, False
            yield s, 1, 1.0, 0, cut if s == last else float(s > 0), False

    return mdp_from_outcomes(n_states, 2, outcomes(), initial_distribution=None, gamma=gamma, horizon=horizon)


def two_state(*, gamma: float = 0.9, horizon: int | None = None) -> TabularMDP:
    """Two states, each of which can be kept or left; keeping pays 1 in the first and 2 in the second.

    A policy that mostly keeps makes the second state rare, so that the plain gradient is dominated by the first one and
    sits on a plateau; the natural gradient does not.

    Parameters
    ----------
    gamma, horizon
        The objective.

    Returns
    -------
    TabularMDP
        Action 0 keeps the state, action 1 leaves it with reward 0. The initial distribution is (.8, .2).

    References
    ----------
    Kakade (2001), A natural policy gradient, NIPS 14, section 4 (two-state example).

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.two_state().rewards
    array([[1., 0.],
           [2., 0.]])
    """
    transitions = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])
    rewards = np.array([[1.0, 0.0], [2.0, 0.0]])
    return TabularMDP(transitions, rewards, initial_distribution=[0.8, 0.2], gamma=gamma, horizon=horizon)


def deep_sea(
    size: int = 10,
    *,
    move_cost: float = 0.01,
    seed: int | None = None,
    gamma: float = 1.0,
    horizon: int | None = None,
) -> TabularMDP:
    """Diver who sinks a row per step; only going right at every step reaches the treasure.

    Parameters
    ----------
    size : int
        Rows, columns and length of an episode N; state ``row * N + column``.
    move_cost : float
        Cost of going right all the way; each step to the right costs move_cost / N.
    seed : int, optional
        Key that decides in each state which action is right; action 1 everywhere if None.
    gamma, horizon
        The objective.

    Returns
    -------
    TabularMDP
        Going right in the last column pays 1. Episodes start in state 0 and end with the last row.

    References
    ----------
    Osband et al. (2020), Behaviour suite for reinforcement learning, ICLR, arXiv:1908.03568, deep sea.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.deep_sea(4).n_states
    16
    """
    size = _validate.integer("size", size, low=1)
    cost = _validate.real("move_cost", move_cost) / size
    n_states = size * size
    right = np.ones(n_states, np.int64) if seed is None else _generator(seed).integers(0, 2, n_states)

    def outcomes() -> Iterator[Outcome]:
        for s in range(n_states):
            row, column = divmod(s, size)
            below = min(row + 1, size - 1) * size
            for a in range(2):
                goes = a == right[s]
                to = min(column + 1, size - 1) if goes else max(column - 1, 0)
                yield s, a, 1.0, below + to, float(goes) * (float(column == size - 1) - cost), row == size - 1

    return mdp_from_outcomes(
        n_states, 2, outcomes(), initial_distribution=_point(n_states, 0), gamma=gamma, horizon=horizon
    )


def inventory(
    capacity: int = 3,
    *,
    demand: Sequence[float] = (0.25, 0.5, 0.25),
    price: float = 8.0,
    unit_cost: float = 2.0,
    order_cost: float = 4.0,
    holding_cost: float = 1.0,
    gamma: float = 0.95,
    horizon: int | None = None,
) -> TabularMDP:
    """Store that orders up to its capacity before a random demand arrives; unmet demand is lost.

    Parameters
    ----------
    capacity : int
        Largest stock M; states are stocks 0 to M, actions are orders 0 to M.
    demand : sequence of float
        Probabilities of a demand of 0, 1, 2, ...
    price, unit_cost, order_cost, holding_cost : float
        Revenue per unit sold; cost per unit ordered; cost of any order at all; cost per unit in stock after the order,
        per step.
    gamma, horizon
        The objective.

    Returns
    -------
    TabularMDP
        Orders beyond the capacity are masked. The initial distribution is uniform.

    References
    ----------
    Puterman (1994), Markov Decision Processes, sections 3.2.2 and 4.6.1 (the default numbers).

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.inventory().rewards[0]
    array([ 0., -1., -2., -5.])
    """
    capacity = _validate.integer("capacity", capacity, low=1)
    sold = _validate.real("price", price)
    bought = _validate.real("unit_cost", unit_cost)
    fixed = _validate.real("order_cost", order_cost)
    kept = _validate.real("holding_cost", holding_cost)
    chances = _validate.real_array("demand", demand, (None,))
    n_states = capacity + 1
    stocks = np.arange(n_states)

    def outcomes() -> Iterator[Outcome]:
        for s in range(n_states):
            for a in range(n_states - s):
                stock = s + a
                cost = (fixed + bought * a if a else 0.0) + kept * stock
                for wanted, chance in enumerate(chances.tolist()):
                    sales = min(wanted, stock)
                    yield s, a, chance, stock - sales, sold * sales - cost, False

    return mdp_from_outcomes(
        n_states,
        n_states,
        outcomes(),
        initial_distribution=None,
        gamma=gamma,
        horizon=horizon,
        action_mask=stocks[:, None] + stocks[None, :] <= capacity,
    )


def sutton_barto_grid(*, gamma: float = 0.9, horizon: int | None = None) -> TabularMDP:
    """The 5 x 5 grid with two teleporting cells; actions 0 left, 1 down, 2 right, 3 up.

    Parameters
    ----------
    gamma, horizon
        The objective.

    Returns
    -------
    TabularMDP
        Every action in A = (0, 1) pays 10 and leads to (4, 1), in B = (0, 3) it pays 5 and leads to (2, 3); a move off
        the grid stays and pays -1. State ``5 * row + column``; the initial distribution is uniform.

    References
    ----------
    Sutton, Barto (2018), Reinforcement Learning, 2nd ed., example 3.5.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.sutton_barto_grid().rewards[1]
    array([10., 10., 10., 10.])
    """
    jumps = {(0, 1): (21, 10.0), (0, 3): (13, 5.0)}

    def outcomes() -> Iterator[Outcome]:
        for s in range(25):
            cell = divmod(s, 5)
            for a in range(4):
                row, column = _move(cell, a, 5, 5)
                to, reward = jumps.get(cell, (5 * row + column, -1.0 if (row, column) == cell else 0.0))
                yield s, a, 1.0, to, reward, False

    return mdp_from_outcomes(25, 4, outcomes(), initial_distribution=None, gamma=gamma, horizon=horizon)


def gambler(goal: int = 100, *, p_heads: float = 0.4, gamma: float = 1.0, horizon: int | None = None) -> TabularMDP:
    """Gambler who stakes capital on coin flips until it is gone or reaches the goal.

    Parameters
    ----------
    goal : int
        Capital to reach, at least 2; states are capitals 0 to goal.
    p_heads : float
        Probability in [0, 1] of winning the stake.
    gamma, horizon
        The objective; at gamma = 1 it is the probability of reaching the goal.

    Returns
    -------
    TabularMDP
        Action a stakes a + 1; stakes above min(s, goal - s) are masked. Reward 1 on reaching the goal. Capitals 0 and
        goal end with reward 0; the initial distribution is uniform over the others.

    References
    ----------
    Sutton, Barto (2018), Reinforcement Learning, 2nd ed., example 4.3.

    Examples
    --------
    >>> from npgfast import problems
    >>> problems.gambler().n_actions
    50
    """
    goal = _validate.integer("goal", goal, low=2)
    win = _validate.real("p_heads", p_heads, low=0.0, high=1.0)
    mu = np.full(goal + 1, 1.0 / (goal - 1))
    mu[[0, goal]] = 0.0
    most = np.minimum(np.arange(goal + 1), goal - np.arange(goal + 1))
    most[[0, goal]] = 1

    def outcomes() -> Iterator[Outcome]:
        for s in range(goal + 1):
            for stake in range(1, int(most[s]) + 1):
                if s in (0, goal):
                    yield s, 0, 1.0, s, 0.0, True
                    continue
                yield s, stake - 1, win, s + stake, float(s + stake == goal), s + stake == goal
                yield s, stake - 1, 1.0 - win, s - stake, 0.0, s == stake

    return mdp_from_outcomes(
        goal + 1,
        goal // 2,
        outcomes(),
        initial_distribution=mu,
        gamma=gamma,
        horizon=horizon,
        action_mask=np.arange(1, goal // 2 + 1)[None, :] <= most[:, None],
    )


def _sizes(n_states: object, n_actions: object) -> tuple[int, int]:
    return _validate.integer("n_states", n_states, low=1), _validate.integer("n_actions", n_actions, low=1)


def _generator(seed: object) -> "np.random.Generator":  # in quotes: numpy.random is imported where it is used
    return np.random.Generator(np.random.PCG64(_validate.integer("seed", seed, low=0)))


def _point(n_states: int, s: int) -> NDArray[np.float64]:
    mu = np.zeros(n_states)
    mu[s] = 1.0
    return mu


def _cell(name: str, cell: Cell, n_rows: int, n_columns: int) -> Cell:
    row, column = cell
    return (
        _validate.integer(f"{name}: row of {cell}", row, low=0, high=n_rows - 1),
        _validate.integer(f"{name}: column of {cell}", column, low=0, high=n_columns - 1),
    )


def _move(cell: Cell, action: int, n_rows: int, n_columns: int) -> Cell:
    down, right = _LEFT_DOWN_RIGHT_UP[action]
    return min(max(cell[0] + down, 0), n_rows - 1), min(max(cell[1] + right, 0), n_columns - 1)
