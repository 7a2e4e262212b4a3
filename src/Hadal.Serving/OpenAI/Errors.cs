using System.Globalization;
using System.Text.Json;
using Hadal.Inference;
using Hadal.Inference.Batching;
using Hadal.Model.Tokenization;
using Hadal.Serving.Answering;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.OpenAI;

/// <summary>Errors in the API's shape.</summary>
internal static class Errors
{
    /// <summary>What an exception means to who asked.</summary>
    /// <returns>The status and the body; null if nobody is there any more.</returns>
    public static (int Status, ErrorBody Body)? Of(Exception exception, bool gone, bool late) => exception switch
    {
        RequestException e => (e.Status, Body(e.Message, TypeOf(e.Status), e.Field, e.Code)),
        EngineBusyException e => (503, Body(e.Message, "overloaded_error", null, "overloaded")),
        GenerationException { Fault: not GenerationFault.Computation } e => (400, Body(e.Message, "invalid_request_error", null, e.Fault == GenerationFault.ContextLength ? "context_length_exceeded" : null)),
        TokenizerException e => (400, Body(e.Message, "invalid_request_error", null, null)),
        JsonException e => (400, Body(Sentence(e), "invalid_request_error", Field(e.Path), "invalid_json")),
        BadHttpRequestException e => (e.StatusCode, Body(e.StatusCode == 413 ? "The body is larger than this server takes." : $"The request is not whole: {e.Message}", TypeOf(e.StatusCode), null, null)),
        OperationCanceledException when gone => null,
        OperationCanceledException when late => (408, Body("The answer took longer than this server allows.", "timeout_error", null, "timeout")),
        _ => (500, Body("The server failed; its log says why.", "server_error", null, null)),
    };

    public static async Task WriteAsync(HttpContext http, int status, ErrorBody body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        if (status == 401) http.Response.Headers.WWWAuthenticate = "Bearer";
        if (status is 429 or 503) http.Response.Headers.RetryAfter = status == 429 ? "5" : "2";
        using (var writer = WireJson.Writer(http.Response.BodyWriter)) JsonSerializer.Serialize(writer, body, WireJson.Default.ErrorBody);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted).ConfigureAwait(false);
    }

    public static ErrorBody Body(string message, string type, string? field, string? code) => new(new ErrorField(message, type) { Param = field, Code = code });

    private static string TypeOf(int status) => status switch
    {
        401 => "authentication_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        501 => "not_supported_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };

    private static string? Field(string? path) => path is null or "$" ? null : path.TrimStart('$').TrimStart('.');

    // The reader's own message says what it met; where is said once.
    private static string Sentence(JsonException e)
    {
        string place = e.LineNumber is { } line ? string.Create(CultureInfo.InvariantCulture, $", line {line + 1}, byte {e.BytePositionInLine}") : "";
        string message = e.Message;
        int cut = message.IndexOf(" Path:", StringComparison.Ordinal);
        if (cut < 0) cut = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        if (cut > 0) message = message[..cut];
        return Field(e.Path) is { } field && message.Contains("could not be converted", StringComparison.Ordinal)
            ? $"{field} is of the wrong type{place}."
            : $"The body is no valid JSON{place}: {message}";
    }
}
