// A chat in the console with a model in this process, which may look at the clock.
//
//   dotnet run -c Release --project samples/ConsoleChat -- ~/models/DeepSeek-V2-Lite-Chat
using System.ComponentModel;
using Hadal.Serving.Answering;
using Hadal.Serving.Chat;
using Microsoft.Extensions.AI;

if (args.Length is not (1 or 2))
{
    Console.Error.WriteLine("ConsoleChat MODEL [TEMPLATE]: a Hugging Face folder or a .gguf file, and the chat template if the model names none that is known");
    return 2;
}

await using var model = ServedModel.Load(args[0], template: args.Length > 1 ? args[1] : null);
using var client = new ChatClientBuilder(new HadalChatClient(model)).UseFunctionInvocation().Build();
var options = new ChatOptions { MaxOutputTokens = 1024, Tools = [AIFunctionFactory.Create(Now)] };
var conversation = new List<ChatMessage>();
Console.WriteLine($"{model.Name}: an empty line ends the chat.");

while (true)
{
    Console.Write("> ");
    if (Console.ReadLine() is not { Length: > 0 } line) return 0;
    conversation.Add(new ChatMessage(ChatRole.User, line));
    var updates = new List<ChatResponseUpdate>();
    await foreach (var update in client.GetStreamingResponseAsync(conversation, options))
    {
        updates.Add(update);
        foreach (var content in update.Contents)
        {
            // Thoughts in grey.
            if (content is TextReasoningContent thought) Console.Write($"\e[90m{thought.Text}\e[0m");
            else if (content is TextContent text) Console.Write(text.Text);
            else if (content is FunctionCallContent call) Console.Write($"\e[90m[{call.Name}]\e[0m");
        }
    }

    Console.WriteLine();
    conversation.AddMessages(updates);
}

[Description("The time in a time zone.")]
static string Now([Description("Such as Europe/Berlin.")] string zone) =>
    TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, found).ToString("O") : $"There is no time zone {zone}.";
