using Hadal.Inference.Speculation;

namespace Hadal.Inference.Tests.Speculation;

public class DraftLengthTests
{
    [Fact]
    public void Drafts_that_stand_become_more_as_long_as_they_pay()
    {
        var length = new DraftLength();
        for (int i = 0; i < 100; i++) length.Add(3, 3);
        Assert.Equal(8, length.Choose(8, stepSeconds: 1, draftSeconds: 0.2));
        Assert.Equal(0, length.Choose(8, stepSeconds: 1, draftSeconds: 1.1));
    }

    // With acceptance a the j-th draft gives a^j tokens: it pays while a^j · step > draft.
    [Fact]
    public void The_last_draft_gives_more_than_it_costs_and_one_more_would_not()
    {
        var length = new DraftLength();
        for (int i = 0; i < 500; i++) length.Add(1, i % 2);
        double a = length.Acceptance;
        Assert.InRange(a, 0.4, 0.6);
        int drafts = length.Choose(32, 1, 0.1);
        Assert.True(Math.Pow(a, drafts) > 0.1 && Math.Pow(a, drafts + 1) <= 0.1, $"{drafts} at {a}");
    }

    [Fact]
    public void Drafts_that_fall_are_tried_again_now_and_then_and_given_up_in_the_end()
    {
        var length = new DraftLength();
        int tried = 0, steps = 0;
        while (!length.IsGivenUp && steps < 10_000)
        {
            int drafts = length.Choose(4, 1, 0.3);
            tried += drafts;
            length.Add(drafts, 0);
            steps++;
        }

        Assert.InRange(steps, 96, 200);
        Assert.InRange(tried, 3, 40);
    }

    [Fact]
    public void A_text_that_has_no_room_for_drafts_is_not_given_up()
    {
        var length = new DraftLength();
        for (int i = 0; i < 1000; i++) Assert.Equal(0, length.Choose(0, 1, 0.1));
        Assert.False(length.IsGivenUp);
    }
}
