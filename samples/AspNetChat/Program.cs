// A web application with a model in it: OpenAI's API and the page to chat, and an endpoint of the application's own that uses the model.
//
//   dotnet run -c Release --project samples/AspNetChat -- --Hadal:Model ~/models/DeepSeek-V2-Lite-Chat
//   curl "http://localhost:5000/headline?text=..."
using Hadal.Serving.Hosting;
using Microsoft.Extensions.AI;

var builder = WebApplication.CreateBuilder(args);

// Model, Name, Template, Threads and the rest, from the command line, the environment or appsettings.json.
builder.Services.AddHadal(options => builder.Configuration.GetSection("Hadal").Bind(options));

var application = builder.Build();
application.MapHadal();
application.MapGet("/headline", async (string text, IChatClient model, CancellationToken cancellation) =>
{
    var options = new ChatOptions { MaxOutputTokens = 200 };

    // The answer's type is the schema that it is held to, token by token.
    var answer = await model.GetResponseAsync<Headline>($"Write a headline for this text, and say how it sounds:\n\n{text}", options, cancellationToken: cancellation);
    return answer.TryGetResult(out var headline) ? Results.Ok(headline) : Results.Problem("The answer was cut off.");
});
application.Run();

internal enum Tone
{
    Neutral,
    Glad,
    Sad,
}

internal sealed record Headline(string Text, Tone Tone);
