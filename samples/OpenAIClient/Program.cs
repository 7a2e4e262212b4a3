// OpenAI's own package talks to a Hadal server.
//
//   hadal serve ~/models/DeepSeek-V2-Lite-Chat
//   dotnet run -c Release --project samples/OpenAIClient -- "What lives in the hadal zone?" http://127.0.0.1:8080/v1
using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

string question = args.Length > 0 ? args[0] : "What lives in the hadal zone?";
var server = new Uri(args.Length > 1 ? args[1] : "http://127.0.0.1:8080/v1");

// A server without --api-key-file takes any key.
var key = new ApiKeyCredential(Environment.GetEnvironmentVariable("HADAL_API_KEY") ?? "none");
var openai = new OpenAIClient(key, new OpenAIClientOptions { Endpoint = server });
try
{
    var models = await openai.GetOpenAIModelClient().GetModelsAsync();
    var chat = openai.GetChatClient(models.Value.First().Id);
    await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage(question)], new ChatCompletionOptions { MaxOutputTokenCount = 512 }))
    {
        foreach (var part in update.ContentUpdate) Console.Write(part.Text);
        if (update.Usage is { } usage) Console.Write($"\n\n{usage.InputTokenCount} tokens of prompt, {usage.OutputTokenCount} of answer");
    }

    Console.WriteLine();
    return 0;
}
catch (ClientResultException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
