using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hadal.Serving.Tests.Page;

/// <summary>A window of the browser: runs scripts in it, and notes what it complains about and asks for.</summary>
public sealed class BrowserPage : IAsyncDisposable
{
    private readonly DevTools _tools;
    private readonly string _context;
    private readonly string _session;

    private BrowserPage(DevTools tools, string context, string session) => (_tools, _context, _session) = (tools, context, session);

    /// <summary>Errors in the console, exceptions, violations of the content policy.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    /// <summary>Addresses that were asked for.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Bodies of the chat requests.</summary>
    public ConcurrentQueue<JsonElement> ChatRequests { get; } = new();

    internal static async Task<BrowserPage> OpenAsync(DevTools tools, string url)
    {
        string context = Text(await tools.SendAsync("Target.createBrowserContext"), "browserContextId");
        string target = Text(await tools.SendAsync("Target.createTarget", new JsonObject { ["url"] = "about:blank", ["browserContextId"] = context }), "targetId");
        string session = Text(await tools.SendAsync("Target.attachToTarget", new JsonObject { ["targetId"] = target, ["flatten"] = true }), "sessionId");
        var page = new BrowserPage(tools, context, session);
        tools.Listen(session, page.Hear);
        foreach (string domain in (string[])["Page", "Runtime", "Log", "Network", "Audits"]) await page.SendAsync(domain + ".enable");
        await page.SendAsync("Page.navigate", new JsonObject { ["url"] = url });
        await page.WaitAsync("document.readyState === 'complete' && location.href !== 'about:blank'");
        return page;
    }

    /// <summary>The value of an expression of JavaScript.</summary>
    public async Task<JsonElement> ReadAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["awaitPromise"] = true, ["replMode"] = true, ["returnByValue"] = true });
        if (answer.TryGetProperty("exceptionDetails", out var exception)) throw new InvalidOperationException($"{expression}: {exception.GetRawText()}");
        return answer.GetProperty("result").TryGetProperty("value", out var value) ? value : default;
    }

    /// <summary>The text of an element as it is shown.</summary>
    public async Task<string> TextAsync(string selector) => (await ReadAsync($"document.querySelector({JsonSerializer.Serialize(selector)})?.innerText ?? ''")).GetString()!;

    /// <summary>Waits until an expression is true.</summary>
    public async Task WaitAsync(string expression)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(30); await Task.Delay(20))
        {
            try
            {
                if ((await ReadAsync($"Boolean({expression})")).ValueKind == JsonValueKind.True) return;
            }
            catch (InvalidOperationException) when (clock.Elapsed < TimeSpan.FromSeconds(2))
            {
                // A page that is being left has no place to run a script.
            }
        }

        string seen = await TextAsync("body");
        throw new TimeoutException($"Never true: {expression}\nThe page shows: {seen}\nComplaints: {string.Join('\n', Complaints)}");
    }

    public Task ClickAsync(string selector) => ReadAsync($"document.querySelector({JsonSerializer.Serialize(selector)}).click()");

    /// <summary>Types into the focused field as a keyboard does, then presses Enter.</summary>
    public async Task AskAsync(string question)
    {
        await ReadAsync("document.getElementById('question').focus()");
        await SendAsync("Input.insertText", new JsonObject { ["text"] = question });
        await PressAsync("Enter", 13);
    }

    public async Task PressAsync(string key, int code)
    {
        await SendAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = "keyDown", ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
        await SendAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = "keyUp", ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
    }

    /// <summary>The mouse at a place of the window: <c>mouseMoved</c>, <c>mousePressed</c>, <c>mouseReleased</c> with its left button, <c>mouseWheel</c>.</summary>
    /// <param name="type">What it does.</param>
    /// <param name="x">Pixels from the left.</param>
    /// <param name="y">Pixels from the top.</param>
    /// <param name="wheel">How far the wheel turns towards the reader.</param>
    public Task MouseAsync(string type, double x, double y, double wheel = 0) => SendAsync("Input.dispatchMouseEvent", new JsonObject
    {
        ["type"] = type,
        ["x"] = x,
        ["y"] = y,
        ["button"] = type is "mousePressed" or "mouseReleased" ? "left" : "none",
        ["clickCount"] = type is "mousePressed" or "mouseReleased" ? 1 : 0,
        ["deltaX"] = 0,
        ["deltaY"] = wheel,
    });

    /// <summary>Shows the page as in another colour scheme.</summary>
    /// <param name="scheme"><c>light</c> or <c>dark</c>.</param>
    public Task SchemeAsync(string scheme) => SendAsync("Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }) });

    /// <summary>Fills a field of the settings.</summary>
    public async Task SetAsync(string name, string value)
    {
        await ReadAsync(
            $$"""
            (() => {
              if (!document.getElementById("settings").open) document.getElementById("show-settings").click();
              const field = document.getElementById("settings-form").elements[{{JsonSerializer.Serialize(name)}}];
              field.value = {{JsonSerializer.Serialize(value)}};
              field.dispatchEvent(new Event("input", { bubbles: true }));
            })()
            """);
    }

    /// <summary>Loads the page anew.</summary>
    public async Task ReloadAsync()
    {
        await ReadAsync("window.old = true");
        await SendAsync("Page.reload");
        await WaitAsync("!window.old && document.readyState === 'complete'");
    }

    public async ValueTask DisposeAsync() => await _tools.SendAsync("Target.disposeBrowserContext", new JsonObject { ["browserContextId"] = _context });

    private Task<JsonElement> SendAsync(string method, JsonObject? parameters = null) => _tools.SendAsync(method, parameters, _session);

    private void Hear(string method, JsonElement about)
    {
        switch (method)
        {
            case "Runtime.exceptionThrown":
            case "Audits.issueAdded" when Text(about.GetProperty("issue"), "code") == "ContentSecurityPolicyIssue":
            case "Log.entryAdded" when Text(about.GetProperty("entry"), "level") == "error":
            case "Runtime.consoleAPICalled" when Text(about, "type") is "error" or "assert":
                Complaints.Enqueue(about.GetRawText());
                break;
            case "Network.requestWillBeSent":
                var request = about.GetProperty("request");
                Requests.Enqueue(Text(request, "url"));
                if (Text(request, "url").EndsWith("/v1/chat/completions", StringComparison.Ordinal)) ChatRequests.Enqueue(JsonSerializer.Deserialize<JsonElement>(Text(request, "postData")));
                break;
            default:
                break;
        }
    }

    private static string Text(JsonElement value, string name) => value.GetProperty(name).GetString()!;
}
