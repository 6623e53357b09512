"""Fisher-vector products, and ten conjugate-gradient iterations on them, of a linear softmax policy."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from compare import MILLISECONDS, Side, compare, core_arguments, row, target, times, value

import npgfast as nf
from npgfast import _core

N, FEATURES, ACTIONS = 100_000, 64, 8
ITERATIONS = 10
GOAL = 2.6  # ms of a product
SIZE = f"n = {N:,}, {FEATURES} features, {ACTIONS} actions, float64"


@cache
def problem() -> tuple[nf.LinearSoftmax, nf.Batch, np.ndarray, np.ndarray]:
    """Policy, batch of equal weights, W, and the vector to multiply."""
    generator = np.random.default_rng(0)
    weights = 0.1 * generator.normal(size=(FEATURES, ACTIONS))
    policy = nf.LinearSoftmax(nf.features.Linear(FEATURES, bias=False), ACTIONS, weights.ravel())
    observations = generator.normal(size=(N, FEATURES)) * np.logspace(
        0.0, -0.5, FEATURES
    )  # not solved in 10 iterations
    batch = nf.Batch(observations, generator.integers(0, ACTIONS, N), generator.normal(size=N))
    return policy, batch, weights, generator.normal(size=FEATURES * ACTIONS)


@cache
def product() -> Callable[[Any], Any]:
    """npgfast's product with the probabilities at hand, as within a solve."""
    policy, batch, _, vector = problem()
    arguments = core_arguments("fisher_vector_product", lambda: nf.fisher_vector_product(policy, batch, vector))
    place = next(i for i, given in enumerate(arguments) if isinstance(given, np.ndarray))

    def call(vector: Any) -> Any:
        arguments[place] = vector
        return _core.fisher_vector_product(*arguments)

    return call


def numpy_product() -> Callable[[Any], Any]:
    policy, batch, _, _ = problem()
    probs, phi = policy.probs(batch.states), batch.states

    def call(vector: Any) -> Any:
        slopes = phi @ vector.reshape(FEATURES, ACTIONS)
        slopes -= np.sum(probs * slopes, axis=1, keepdims=True)
        slopes *= probs
        return (phi.T @ slopes).ravel() / N

    return call


def jax_products() -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The analytic product with the probabilities at hand, and the derivative of the gradient of the KL."""
    import jax

    jax.config.update("jax_enable_x64", val=True)
    jnp = jax.numpy
    policy, batch, weights, _ = problem()
    phi, probs = jnp.asarray(batch.states), jnp.asarray(policy.probs(batch.states))
    theta = jnp.asarray(weights)

    @jax.jit
    def analytic(phi: Any, probs: Any, vector: Any) -> Any:
        slopes = phi @ vector.reshape(FEATURES, ACTIONS)
        slopes = probs * (slopes - jnp.sum(probs * slopes, axis=1, keepdims=True))
        return (phi.T @ slopes).ravel() / N

    def divergence(theta: Any, phi: Any, probs: Any) -> Any:
        logs = jax.nn.log_softmax(phi @ theta)
        return jnp.sum(probs * (jnp.log(probs) - logs)) / N

    @jax.jit
    def jvp_of_grad(theta: Any, phi: Any, probs: Any, vector: Any) -> Any:
        gradient = lambda theta: jax.grad(divergence)(theta, phi, probs)  # noqa: E731
        return jax.jvp(gradient, (theta,), (vector.reshape(theta.shape),))[1].ravel()

    return (
        lambda vector: jax.block_until_ready(analytic(phi, probs, vector)),
        lambda vector: jax.block_until_ready(jvp_of_grad(theta, phi, probs, vector)),
    )


def torch_product() -> Callable[[Any], Any]:
    """Double backpropagation through the KL, the graph of its gradient kept, as TRPO in sb3-contrib does it."""
    import torch

    torch.set_num_threads(2)
    _, batch, weights, _ = problem()
    phi, theta = torch.tensor(batch.states), torch.tensor(weights, requires_grad=True)
    logs = torch.log_softmax(phi @ theta, dim=1)
    old = logs.detach()
    divergence = torch.sum(old.exp() * (old - logs)) / N
    (gradient,) = torch.autograd.grad(divergence, theta, create_graph=True)

    def call(vector: Any) -> Any:
        inner = (gradient.ravel() * torch.as_tensor(vector)).sum()
        return torch.autograd.grad(inner, theta, retain_graph=True)[0].ravel().numpy()

    return call


def limit(limits: dict[str, Any]) -> tuple[float, str]:
    """Milliseconds of one product: two small matrix products, and one reading of features and probabilities."""
    rates = limits[max(limits, key=int)]
    flops, bytes_read = 4.0 * N * FEATURES * ACTIONS, 8.0 * N * (FEATURES + ACTIONS)
    compute, memory = 1e3 * flops / rates["fma"]["float64"], 1e3 * bytes_read / rates["bandwidth"]["read"]
    return max(compute, memory), f"memory {memory:.2f} ms, arithmetic {compute:.2f} ms"


def fisher_product(limits: dict[str, Any]) -> dict[str, Any]:
    policy, batch, _, vector = problem()
    expected = numpy_product()(vector)
    products: dict[str, Callable[[], Callable[[Any], Any]]] = {
        "npgfast": product,
        "npgfast, policy and batch given": lambda: lambda v: nf.fisher_vector_product(policy, batch, v),
        "NumPy": numpy_product,
        "JAX, analytic": lambda: jax_products()[0],
        "JAX, jvp of grad": lambda: jax_products()[1],
        "PyTorch, double backprop": torch_product,
    }
    needs = {"JAX, analytic": ("jax",), "JAX, jvp of grad": ("jax",), "PyTorch, double backprop": ("torch",)}

    def side(name: str) -> Side:
        def prepare() -> Callable[[], Any]:
            call = products[name]()
            return lambda: call(vector)

        return Side(name, prepare, needs.get(name, ()))

    sides = compare(
        [side(name) for name in products],
        MILLISECONDS,
        lambda _, answer: np.testing.assert_allclose(np.asarray(answer), expected, rtol=1e-8, atol=1e-12),
        15,
    )
    return row(
        "Fisher-vector product, linear softmax",
        SIZE,
        MILLISECONDS,
        sides,
        limit(limits),
        [
            target(f"at most {GOAL} ms", value(sides, "npgfast"), GOAL),
            target("at least 3 x JAX", times(sides, "JAX, analytic", "JAX, jvp of grad"), 3.0, at_least=True),
            target("at least 13 x PyTorch", times(sides, "PyTorch, double backprop"), 13.0, at_least=True),
        ],
    )


def npgfast_solve() -> Callable[[], Any]:
    """What `natural_gradient(method="cg")` asks of the core; the probabilities are at hand."""
    arguments = core_arguments("natural_gradient", whole_solve())
    return lambda: _core.natural_gradient(*arguments)[0]


def whole_solve() -> Callable[[], Any]:
    policy, batch, _, _ = problem()
    return lambda: nf.natural_gradient(policy, batch, method="cg", rtol=0.0, max_iters=ITERATIONS).direction


def conjugate_gradient(limits: dict[str, Any]) -> dict[str, Any]:
    policy, batch, _, vector = problem()
    b = nf.policy_gradient(policy, batch)
    products = product()
    expected = nf.conjugate_gradient(products, b, max_iters=ITERATIONS, rtol=0.0).x

    def own(make: Callable[[], Callable[[Any], Any]]) -> Callable[[], Callable[[], Any]]:
        def prepare() -> Callable[[], Any]:
            times_fisher = make()
            return lambda: _cg(times_fisher, b)

        return prepare

    def with_scipy() -> Callable[[], Any]:
        from scipy.sparse.linalg import LinearOperator, cg

        operator = LinearOperator((b.size, b.size), matvec=numpy_product(), dtype=np.float64)
        return lambda: cg(operator, b, rtol=0.0, atol=0.0, maxiter=ITERATIONS)[0]

    def with_jax() -> Callable[[], Any]:
        import jax

        jax.config.update("jax_enable_x64", val=True)
        jnp = jax.numpy
        phi, probs, start = (jnp.asarray(x) for x in (batch.states, policy.probs(batch.states), b))

        @jax.jit
        def run(phi: Any, probs: Any, b: Any) -> Any:
            def iterate(_: int, state: Any) -> Any:
                x, r, p, rr = state
                slopes = phi @ p.reshape(FEATURES, ACTIONS)
                slopes = probs * (slopes - jnp.sum(probs * slopes, axis=1, keepdims=True))
                q = (phi.T @ slopes).ravel() / N
                alpha = rr / (p @ q)
                x, r = x + alpha * p, r - alpha * q
                return x, r, r + (r @ r / rr) * p, r @ r

            return jax.lax.fori_loop(0, ITERATIONS, iterate, (jnp.zeros_like(b), b, b, b @ b))[0]

        return lambda: np.asarray(jax.block_until_ready(run(phi, probs, start)))

    def ten_products() -> Callable[[], Any]:
        def call() -> Any:
            for _ in range(ITERATIONS):
                products(vector)
            return expected

        return call

    sides = compare(
        [
            Side("npgfast", npgfast_solve),
            Side("npgfast, policy and batch given", whole_solve),
            Side("npgfast, 10 single products", ten_products),
            Side("NumPy products, SciPy cg", with_scipy, ("scipy",)),
            Side("JAX, analytic", with_jax, ("jax",)),
            Side("PyTorch, double backprop", own(torch_product), ("torch",)),
        ],
        MILLISECONDS,
        lambda _, answer: np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-9),
        11,
    )
    solve, single = value(sides, "npgfast"), value(sides, "npgfast, 10 single products")
    one, how = limit(limits)
    return row(
        "Conjugate gradients, 10 iterations on the same",
        SIZE,
        MILLISECONDS,
        sides,
        (ITERATIONS * one, f"10 products: {how} each"),
        [target("at most 1.05 x 10 products", None if not solve or not single else solve / single, 1.05)],
        speedup=times(sides, "JAX, analytic", "PyTorch, double backprop", "NumPy products, SciPy cg"),
    )


def _cg(times_fisher: Callable[[Any], Any], b: Any) -> Any:
    """Ten iterations of conjugate gradients in NumPy, as sb3-contrib writes them."""
    x, r = np.zeros_like(b), b.copy()
    p, rr = r.copy(), r @ r
    for _ in range(ITERATIONS):
        q = times_fisher(p)
        alpha = rr / (p @ q)
        x += alpha * p
        r -= alpha * q
        new = r @ r
        p, rr = r + (new / rr) * p, new
    return x
