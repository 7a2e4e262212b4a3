using System.Text.Json;
using Hadal.Serving.Hosting;
using Hadal.Serving.Security;
using Microsoft.Extensions.DependencyInjection;

namespace Hadal.Serving.Tests.Page;

/// <summary>The page at <c>/</c> as a browser shows it, before a real server.</summary>
public sealed class PageTests(Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private const string Answered = "document.querySelector('.message.assistant.last') && !document.querySelector('.writing')";
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task It_loads_and_asks_nobody_but_its_server_and_shows_a_streamed_answer()
    {
        await using var page = await browser.OpenAsync(_server.Url);
        await page.WaitAsync("document.getElementById('server').dataset.state === 'ready'");
        Assert.Contains("tiny", await page.TextAsync("#server"));
        await page.SetAsync("maxTokens", "60");
        await page.SetAsync("seed", "3");
        await page.ReadAsync("document.getElementById('settings').close()");
        await page.AskAsync("Hello");
        await page.WaitAsync(Answered);
        var sent = Assert.Single(page.ChatRequests);
        Assert.True(sent.GetProperty("stream").GetBoolean());
        var (_, whole) = await _server.PostAsync("/v1/chat/completions", new { messages = new[] { new { role = "user", content = "Hello" } }, max_tokens = 60, seed = 3 });
        string expected = whole.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
        Assert.Equal(expected, (await page.ReadAsync("JSON.parse(localStorage['hadal.conversation'])[1].content")).GetString());
        string tokens = whole.GetProperty("usage").GetProperty("completion_tokens").GetInt32() + " tokens";
        Assert.Contains(tokens, await page.TextAsync(".message.assistant footer"));
        Assert.Contains("tokens/s", await page.TextAsync(".message.assistant footer"));
        Assert.Contains("choices in", await page.TextAsync("#experts-small .summary"));
        await page.WaitAsync("document.querySelector('[data-gauge=texts] b').textContent === '0'");
        Assert.Empty(page.Complaints);
        Assert.All(page.Requests, address => Assert.StartsWith(_server.Url, address));
    }

    [Fact]
    public async Task Stop_ends_an_answer_and_its_pages_are_free()
    {
        await using var server = await TestServer.StartAsync(context: 65536, endless: true);
        await using var page = await browser.OpenAsync(server.Url);
        await page.SetAsync("temperature", "0");
        await page.ReadAsync("document.getElementById('settings').close()");
        await page.AskAsync("Hello");
        await page.WaitAsync("document.querySelector('.message.assistant .content')?.innerText.length > 0");
        await page.PressAsync("Escape", 27);
        await page.WaitAsync(Answered);
        Assert.Contains("stopped", await page.TextAsync(".message.assistant footer"));
        Assert.Equal("question", (await page.ReadAsync("document.activeElement.id")).GetString());
        await server.IdleAsync();
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Reload_keeps_the_conversation_and_a_new_one_can_be_undone()
    {
        await using var page = await browser.OpenAsync(_server.Url);
        await page.SetAsync("maxTokens", "20");
        await page.ReadAsync("document.getElementById('settings').close()");
        await page.AskAsync("One question");
        await page.WaitAsync(Answered);
        string before = await page.TextAsync("#messages");
        await page.ReloadAsync();
        await page.WaitAsync("document.querySelectorAll('.message').length === 2");
        Assert.Equal(before, await page.TextAsync("#messages"));
        await page.ClickAsync("#new");
        await page.WaitAsync("document.querySelectorAll('.message').length === 0");
        await page.ClickAsync("#toast button");
        await page.WaitAsync("document.querySelectorAll('.message').length === 2");
        Assert.Equal(before, await page.TextAsync("#messages"));
    }

    [Fact]
    public async Task Settings_take_effect_in_the_request()
    {
        await using var server = await TestServer.StartAsync(template: "deepseek-v3.1");
        await using var page = await browser.OpenAsync(server.Url);
        await page.WaitAsync("document.getElementById('server').dataset.state === 'ready'");
        foreach (var (name, value) in new[] { ("system", "Be brief."), ("temperature", "0.5"), ("topP", "0.8"), ("maxTokens", "7"), ("seed", "11"), ("thinking", "enabled") }) await page.SetAsync(name, value);
        await page.ReadAsync("document.getElementById('settings').close()");
        Assert.Contains("temperature 0.5", await page.TextAsync("#in-force"));
        await page.AskAsync("Hello");
        await page.WaitAsync(Answered);
        var sent = Assert.Single(page.ChatRequests);
        Assert.Equal(0.5, sent.GetProperty("temperature").GetDouble());
        Assert.Equal(0.8, sent.GetProperty("top_p").GetDouble());
        Assert.Equal(7, sent.GetProperty("max_tokens").GetInt32());
        Assert.Equal(11, sent.GetProperty("seed").GetInt32());
        Assert.Equal("enabled", sent.GetProperty("thinking").GetProperty("type").GetString());
        Assert.Equal("Be brief.", sent.GetProperty("messages")[0].GetProperty("content").GetString());
        Assert.Equal("Thought for", (await page.TextAsync(".thoughts summary"))[..11]);
    }

    [Fact]
    public async Task Hostile_text_of_the_model_stays_text()
    {
        const string Hostile = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script> [go](javascript:alert(1)) `<b>` **<i>bold</i>**";
        await using var page = await browser.OpenAsync(_server.Url);
        await page.SetAsync("format", "schema");
        await page.SetAsync("schema", JsonSerializer.Serialize(new { @enum = new[] { Hostile } }));
        await page.ReadAsync("document.getElementById('settings').close()");
        await page.AskAsync("Say it");
        await page.WaitAsync(Answered);
        string shown = await page.TextAsync(".message.assistant .content");
        Assert.Contains("<img src=x onerror=document.title='owned'><script>", shown);
        Assert.Contains("[go](javascript:alert(1))", shown);
        Assert.Equal(0, (await page.ReadAsync("document.querySelectorAll('#messages img, #messages script, #messages a, #messages b, #messages i:not(footer i)').length")).GetInt32());
        Assert.Equal("<i>bold</i>", await page.TextAsync(".message.assistant .content strong"));
        Assert.NotEqual("owned", (await page.ReadAsync("document.title")).GetString());
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_call_of_a_tool_is_shown_and_can_be_answered()
    {
        await using var page = await browser.OpenAsync(_server.Url);
        await page.SetAsync("tools", """[{"name":"dice","parameters":{"type":"object","properties":{"sides":{"type":"integer","minimum":2,"maximum":20}},"required":["sides"],"additionalProperties":false}}]""");
        await page.SetAsync("toolChoice", "required");
        await page.ReadAsync("document.getElementById('settings').close()");
        await page.AskAsync("Roll");
        await page.WaitAsync(Answered);
        Assert.Contains("dice", await page.TextAsync(".call header"));
        Assert.Contains("\"sides\":", await page.TextAsync(".call pre"));
        int calls = (await page.ReadAsync("document.querySelectorAll('.call').length")).GetInt32();
        await page.SetAsync("toolChoice", "none");
        await page.SetAsync("maxTokens", "5");
        await page.ReadAsync("document.getElementById('settings').close()");
        for (int i = 0; i < calls; i++)
        {
            await page.ReadAsync("(() => { const form = document.querySelector('.reply'); form.querySelector('textarea').value = '6'; form.requestSubmit(); })()");
        }

        await page.WaitAsync("document.querySelectorAll('.message.assistant').length === 2 && !document.querySelector('.writing')");
        var second = page.ChatRequests.Last().GetProperty("messages");
        Assert.Equal("dice", second[1].GetProperty("tool_calls")[0].GetProperty("function").GetProperty("name").GetString());
        Assert.Equal("6", second[2].GetProperty("content").GetString());
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task The_last_question_can_be_edited_and_its_answer_asked_for_again()
    {
        await using var page = await browser.OpenAsync(_server.Url);
        await page.SetAsync("maxTokens", "5");
        await page.ReadAsync("document.getElementById('settings').close()");
        await page.AskAsync("First");
        await page.WaitAsync(Answered);
        await page.ClickAsync(".message.assistant [title='Answer again']");
        await page.WaitAsync($"{Answered} && !document.querySelector('#composer.working')");
        await page.ClickAsync(".message.user [title='Edit question']");
        await page.ReadAsync("document.querySelector('.editing textarea').value = 'Second'");
        await page.ReadAsync("document.querySelector('.editing form').requestSubmit()");
        await page.WaitAsync($"{Answered} && !document.querySelector('#composer.working')");
        Assert.Equal(["First", "First", "Second"], page.ChatRequests.Select(r => Assert.Single(r.GetProperty("messages").EnumerateArray()).GetProperty("content").GetString()));
    }

    [Fact]
    public async Task A_server_that_needs_a_key_is_given_one()
    {
        string file = Path.GetTempFileName();
        try
        {
            string key = ApiKeyFile.NewKey();
            await File.WriteAllTextAsync(file, ApiKeyFile.LineOf(key, "page"), TestContext.Current.CancellationToken);
            await using var server = await TestServer.StartAsync(options => options.ApiKeyFile = file);
            await using var page = await browser.OpenAsync(server.Url);
            await page.WaitAsync("document.getElementById('key').open");
            await GiveAsync(page, "wrong");
            await page.WaitAsync("document.getElementById('key').open && document.getElementById('key-reason').textContent.includes('not one that this server knows')");
            await page.ClickAsync("#key-later");
            await page.AskAsync("Hello");
            await page.WaitAsync("document.querySelector('.error')?.innerText.includes('A key is needed')");
            await page.SetAsync("maxTokens", "5");
            await page.ReadAsync("document.getElementById('settings').close()");
            await page.WaitAsync("document.getElementById('key').open");
            await GiveAsync(page, key);
            await page.WaitAsync($"{Answered} && !document.querySelector('.error')");
            Assert.Equal(key, (await page.ReadAsync("sessionStorage['hadal.key']")).GetString());
            Assert.DoesNotContain(key, (await page.ReadAsync("JSON.stringify(localStorage)")).GetString());
        }
        finally
        {
            File.Delete(file);
        }

        static Task GiveAsync(BrowserPage page, string key) =>
            page.ReadAsync($"document.getElementById('key-field').value = {JsonSerializer.Serialize(key)}; document.getElementById('key-form').requestSubmit()");
    }

    [Fact]
    public async Task A_server_that_takes_no_more_and_one_that_has_gone_are_said_so_and_the_question_is_kept()
    {
        var server = await TestServer.StartAsync();
        await using var page = await browser.OpenAsync(server.Url);
        await page.WaitAsync("document.getElementById('server').dataset.state === 'ready'");
        server.Application.Services.GetRequiredService<ModelSource>().IsStopping = true;
        await page.AskAsync("Hello");
        await page.WaitAsync("document.querySelector('.error')?.innerText.includes('The server is stopping and takes no more requests.')");
        await server.DisposeAsync();
        await page.ClickAsync(".error button");
        await page.WaitAsync("document.querySelector('.error')?.innerText.includes('The server cannot be reached')");
        await page.WaitAsync("document.getElementById('server').dataset.state === 'gone'");
        Assert.Equal("Hello", await page.TextAsync(".message.user .content"));
        Assert.True((await page.ReadAsync("!document.getElementById('send').hidden")).GetBoolean());
    }

    [Fact]
    public async Task A_mistake_is_shown_with_the_servers_words()
    {
        await using var page = await browser.OpenAsync(_server.Url);
        await page.AskAsync(new string('x', 5000));
        await page.WaitAsync("document.querySelector('.error')");
        Assert.Contains("longer than the model's context", await page.TextAsync(".error"));
        await page.ClickAsync(".error button");
        await page.WaitAsync("document.querySelectorAll('.message').length === 0");
    }
}
