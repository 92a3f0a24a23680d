using Alt.Domain;

namespace Alt.Tests.Domain;

public class JudgeAgreementTests
{
    [Fact]
    public void Agreement_confusion_and_kappa_of_a_hand_counted_example()
    {
        var measured = JudgeAgreement.Measure([(0, [0]), (0, [0]), (0, [1]), (1, [1]), (1, [0]), (1, [null])], 2);
        Assert.Equal(.5, measured.Agreement, 12);
        Assert.Equal([[2, 1, 0], [1, 1, 1]], measured.Confusion);
        // Of five labelled: 3 agree; by chance .6 * .6 + .4 * .4.
        Assert.Equal((.6 - .52) / .48, measured.Kappa!.Value, 12);
        Assert.Null(measured.Consistency);
    }

    [Fact]
    public void Askings_that_differ_are_inconsistent_and_those_far_apart_contradict()
    {
        var measured = JudgeAgreement.Measure([(0, [0, 0]), (0, [0, 1]), (0, [0, 3]), (0, [1, 1]), (0, [0, null])], 4);
        Assert.Equal(.5, measured.Consistency);
        Assert.Equal(.25, measured.Contradictions);
        Assert.Null(JudgeAgreement.Measure([(0, [null, null])], 4).Consistency);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(.7, 1)]
    [InlineData(0, 3)]
    [InlineData(-5, 3)]
    public void A_reward_has_the_level_that_it_is_nearest_to(double reward, int level) =>
        Assert.Equal(level, JudgeAgreement.LevelOf(reward, 4));
}
