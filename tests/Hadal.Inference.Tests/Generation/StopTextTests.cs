using CsCheck;
using Hadal.Inference.Generation;

namespace Hadal.Inference.Tests.Generation;

public class StopTextTests
{
    [Fact]
    public void Text_that_may_become_a_stop_string_is_held_back_until_it_is_clear()
    {
        var stops = new StopText(["END"]);
        Assert.Equal("the ", stops.Push("the E"));
        Assert.Equal("", stops.Push("N"));
        Assert.Equal("ENE", stops.Push("EE"));
        Assert.Equal("", stops.Push("ND"));
        Assert.True(stops.Stopped);
        Assert.Equal("", stops.Push("more"));
        Assert.Equal("", stops.Finish());
    }

    [Fact]
    public void What_was_held_back_comes_out_at_the_end()
    {
        var stops = new StopText(["\n\n"]);
        Assert.Equal("a", stops.Push("a\n"));
        Assert.Equal("\n", stops.Finish());
    }

    [Fact]
    public void Pieces_do_not_matter_and_no_stop_string_is_ever_passed_on()
    {
        var cases =
            from text in Gen.Char["abc"].Array[0, 30]
            from stops in Gen.Char["abc"].Array[1, 4].Select(s => new string(s)).Array[0, 3]
            from cuts in Gen.Int[0, 5].Array[0, 30]
            select (text: new string(text), stops, cuts);
        cases.Sample(
            c =>
            {
                var held = new StopText(c.stops);
                string passed = "";
                int at = 0;
                foreach (int cut in c.cuts.Append(c.text.Length))
                {
                    int length = Math.Min(cut, c.text.Length - at);
                    passed += held.Push(c.text.Substring(at, length));
                    at += length;
                }

                passed += held.Finish();
                Assert.Equal(Expected(c.text, c.stops, out bool stopped), passed);
                Assert.Equal(stopped, held.Stopped);
                Assert.DoesNotContain(c.stops, s => passed.Contains(s, StringComparison.Ordinal));
            },
            iter: 5000,
            seed: "0N0XIzNsQ0O2");
    }

    [Fact]
    public void An_empty_stop_string_is_refused() => Assert.Throws<GenerationException>(() => new StopText(["a", ""]));

    private static string Expected(string text, string[] stops, out bool stopped)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string[] complete = [.. stops.Where(s => text[..end].EndsWith(s, StringComparison.Ordinal))];
            if (complete.Length == 0) continue;
            stopped = true;
            return text[..(end - complete.Max(s => s.Length))];
        }

        stopped = false;
        return text;
    }
}
