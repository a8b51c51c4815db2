import pytest

from training.data.sample_order import Epochs, InTurn, Order, SharedOrder


def everyone(order_of_rank: list[Order], epoch: int) -> list[int]:
    count = order_of_rank[0].batches_per_epoch
    numbers = range(epoch * count, (epoch + 1) * count)
    return [n for number in numbers for order in order_of_rank for n in order.batch_of(number)[1]]


def ranks(samples: int, world: int, batch: int = 1, seed: int = 0) -> list[Order]:
    return [Order(samples, seed, rank, world, batch) for rank in range(world)]


def test_an_epoch_shows_every_sample_once_over_all_ranks() -> None:
    assert sorted(everyone(ranks(12, world=3, batch=2), epoch=0)) == list(range(12))


def test_an_epoch_that_does_not_divide_is_filled_up_from_its_own_beginning() -> None:
    seen = everyone(ranks(5, world=2), epoch=1)
    assert len(seen) == 6
    assert set(seen) == set(range(5))
    assert seen[5] == seen[0]


def test_epochs_differ() -> None:
    orders = ranks(20, world=1)
    assert everyone(orders, 0) != everyone(orders, 1)


def test_seeds_differ() -> None:
    assert everyone(ranks(20, 1, seed=1), 0) != everyone(ranks(20, 1, seed=2), 0)


def test_the_order_is_the_same_however_often_it_is_asked() -> None:
    assert Order(20, 3, 1, 2, 2).batch_of(7) == Order(20, 3, 1, 2, 2).batch_of(7)


def test_the_world_sees_one_permutation_however_many_ranks_share_it() -> None:
    assert everyone(ranks(12, world=1), 0) == everyone(ranks(12, world=3), 0)


def test_one_sample_still_gives_a_batch_to_every_rank() -> None:
    assert [order.batch_of(0)[1] for order in ranks(1, world=2)] == [[0], [0]]


@pytest.mark.parametrize(("rank", "seen"), [(0, [0, 2, 4]), (1, [1, 3])])
def test_validation_goes_in_turn(rank: int, seen: list[int]) -> None:
    turn = InTurn(rank, 2)
    assert [turn.batch_of(n)[1][0] for n in range(turn.count(5))] == seen


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 5])
def test_however_many_ranks_share_four_replicas_each_step_has_the_same_samples(ranks: int) -> None:
    orders = [Order(11, 3, replica, 4, 2) for replica in range(4)]
    shared = [SharedOrder(tuple(orders[rank::ranks]), accumulate=2) for rank in range(ranks)]
    for step in range(7):
        seen = [
            shares.batch_of(step * shares.batches_per_step + place)
            for shares in shared
            for place in range(shares.batches_per_step)
        ]
        expected = [order.batch_of(2 * step + turn) for order in orders for turn in range(2)]
        assert sorted(seen) == sorted(expected)


def test_new_data_begin_with_a_whole_epoch_of_their_own() -> None:
    order = Order(5, 0, 0, 1, 1, first_batch=7, first_epoch=3)
    taken = [order.batch_of(number) for number in range(7, 12)]
    assert [epoch for epoch, _ in taken] == [3] * 5
    assert sorted(place for _, chosen in taken for place in chosen) == [0, 1, 2, 3, 4]


def test_epochs_go_on_from_where_new_data_began() -> None:
    epochs = Epochs(10, first_step=7, first_epoch=3)
    assert (epochs.at(7), epochs.at(12), epochs.step_of(5)) == (3.0, 3.5, 27)
