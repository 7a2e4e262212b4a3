namespace Hadal.Cli.Tests;

public class GenerateTests(Samples samples)
{
    [Fact]
    public void Drafts_do_not_change_greedy_text_and_their_acceptance_is_reported()
    {
        var plain = Generate("--max-tokens", "24").Json();
        var drafted = Generate("--max-tokens", "24", "--speculate", "2").Json();
        Assert.Equal(plain.GetProperty("text").GetString(), drafted.GetProperty("text").GetString());
        Assert.InRange(drafted.GetProperty("acceptance_rate").GetDouble(), 0, 1);
    }

    [Fact]
    public void A_seed_gives_the_same_text_again()
    {
        string[] sampled = ["--temperature", "1", "--max-tokens", "16"];
        string text = Text("--seed", "3");
        Assert.Equal(text, Text("--seed", "3"));
        Assert.NotEqual(text, Text("--seed", "4"));

        string Text(params string[] seed) => Generate([.. sampled, .. seed]).Json().GetProperty("text").GetString()!;
    }

    [Fact]
    public void A_prompt_can_come_from_a_file_or_from_standard_input()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("prompt.txt", "the number of");
        string expected = Generate("--max-tokens", "4").Json().GetProperty("text").GetString()!;
        string[] rest = ["--max-tokens", "4", "--threads", "1", "--json"];
        Assert.Equal(expected, CliRun.Of(["generate", samples.ModelFolder, "--file", file, .. rest]).Json().GetProperty("text").GetString());
        Assert.Equal(expected, CliRun.WithInput("the number of", ["generate", samples.ModelFolder, "--file", "-", .. rest]).Json().GetProperty("text").GetString());
    }

    [Fact]
    public void A_stop_text_ends_the_answer_and_does_not_belong_to_it()
    {
        string whole = Generate("--max-tokens", "24").Json().GetProperty("text").GetString()!;
        string stop = whole[(whole.Length / 2)..(whole.Length / 2 + 2)];
        var json = Generate("--max-tokens", "24", "--stop", stop).Json();
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], json.GetProperty("text").GetString());
        Assert.Equal("stop", json.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public void Elsewhere_than_on_a_terminal_standard_output_is_the_text_alone()
    {
        string text = Generate("--max-tokens", "8").Json().GetProperty("text").GetString()!;
        var run = CliRun.Of("generate", samples.ModelFolder, "--prompt", "the number of", "--max-tokens", "8", "--threads", "1");
        Assert.Equal(text + Environment.NewLine, run.Out);
    }

    [Fact]
    public void A_terminal_never_gets_control_characters_of_the_model()
    {
        var run = CliRun.OnTerminal(false, "", "generate", samples.ModelFolder, "--prompt", "\u001b[31mred", "--max-tokens", "64", "--temperature", "5", "--seed", "1", "--threads", "1");
        Assert.Equal(0, run.Code);
        Assert.DoesNotContain(run.Out, c => char.IsControl(c) && c is not ('\n' or '\r' or '\t'));
        Assert.StartsWith("\u241b[31mred", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Chat_remembers_starts_over_and_ends()
    {
        string[] chat = ["chat", samples.ChatFolder, "--max-tokens", "4", "--temperature", "0", "--threads", "1", "--system", "Be brief.", "--json"];
        var json = CliRun.WithInput("Hello\nAgain\n/exit\nnever said\n", chat).Json();
        Assert.Equal(["system", "user", "assistant", "user", "assistant"], Roles(json));
        Assert.Equal(["system", "user", "assistant"], Roles(CliRun.WithInput("Hello\n/new\nAgain\n", chat).Json()));

        static IEnumerable<string?> Roles(System.Text.Json.JsonElement json) => json.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("role").GetString());
    }

    [Fact]
    public void Chat_shows_thoughts_paler_than_the_answer_and_keeps_them_apart()
    {
        string[] chat = ["chat", samples.ModelFolder, "--max-tokens", "4", "--temperature", "0", "--threads", "1", "--template", "deepseek-r1"];
        var answer = CliRun.WithInput("Hello\n", [.. chat, "--json"]).Json().GetProperty("messages")[1];
        Assert.Equal("", answer.GetProperty("content").GetString());
        Assert.NotEqual("", answer.GetProperty("reasoning").GetString());
        Assert.Contains("\e[2m", CliRun.OnTerminal(colors: true, "Hello\n", chat).Out, StringComparison.Ordinal);
        Assert.Equal("\n", CliRun.WithInput("Hello\n", chat).Out.ReplaceLineEndings("\n"));
        string[] v31 = [.. chat[..^1], "deepseek-v3.1", "--json"];
        Assert.False(CliRun.WithInput("Hello\n", v31).Json().GetProperty("messages")[1].TryGetProperty("reasoning", out _));
        Assert.True(CliRun.WithInput("Hello\n", [.. v31, "--thinking"]).Json().GetProperty("messages")[1].TryGetProperty("reasoning", out _));
    }

    private CliRun Generate(params string[] options) => CliRun.Of(["generate", samples.ModelFolder, "--prompt", "the number of", "--threads", "1", "--json", .. options]);
}
