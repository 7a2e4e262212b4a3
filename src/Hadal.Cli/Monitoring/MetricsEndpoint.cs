using System.Net;
using System.Net.Sockets;
using System.Text;
using Hadal.Cli.Errors;

namespace Hadal.Cli.Monitoring;

/// <summary>Answers <c>GET /metrics</c> on this machine's loopback address with a page of gauges, for as long as a run lasts. Nobody outside the machine can reach it.</summary>
/// <remarks>One page for one reader at a time is all that is wanted; requests are read to the end of their headers, at most 8 KiB, for at most five seconds.</remarks>
internal sealed class MetricsEndpoint : IDisposable
{
    private const int MostRequestBytes = 8192;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private readonly TcpListener _listener;
    private readonly Func<string> _page;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;

    /// <summary>Begins to listen.</summary>
    /// <param name="port">The port; 0 for any that is free.</param>
    /// <param name="page">Makes the page; called on another thread.</param>
    public MetricsEndpoint(int port, Func<string> page)
    {
        _page = page;
        _listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            _listener.Start();
        }
        catch (SocketException e)
        {
            _listener.Dispose();
            throw new MistakeException($"--metrics-port {port} cannot be listened on ({e.Message.TrimEnd('.')}); choose another port", e);
        }

        _serving = ServeAsync();
    }

    /// <summary>The address of the page.</summary>
    public string Address => $"http://{_listener.LocalEndpoint}/metrics";

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _serving.Wait();
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_end.Token).ConfigureAwait(false);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
                limit.CancelAfter(_patience);
                await AnswerAsync(client.GetStream(), limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // Whoever asked has gone, or the run has ended: no reason to trouble the run.
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream, CancellationToken cancellation)
    {
        string[] request = (await ReadRequestLineAsync(stream, cancellation).ConfigureAwait(false)).Split(' ');
        var (status, body) = request switch
        {
            [not ("GET" or "HEAD"), _, ..] => ("405 Method Not Allowed", "Only GET is answered.\n"),
            [_, "/metrics", ..] => ("200 OK", _page()),
            [_, var target, ..] when target.StartsWith("/metrics?", StringComparison.Ordinal) => ("200 OK", _page()),
            [_, _, ..] => ("404 Not Found", "The metrics are at /metrics.\n"),
            _ => ("400 Bad Request", "This is no request.\n"),
        };
        byte[] content = Encoding.UTF8.GetBytes(body);
        string head = $"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {content.Length}\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellation).ConfigureAwait(false);
        if (request[0] != "HEAD") await stream.WriteAsync(content, cancellation).ConfigureAwait(false);
    }

    private static async Task<string> ReadRequestLineAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var bytes = new byte[MostRequestBytes];
        int count = 0;
        while (count < bytes.Length && bytes.AsSpan(0, count).IndexOf("\r\n\r\n"u8) < 0)
        {
            int read = await stream.ReadAsync(bytes.AsMemory(count), cancellation).ConfigureAwait(false);
            if (read == 0) break;
            count += read;
        }

        int end = bytes.AsSpan(0, count).IndexOf("\r\n"u8);
        return end < 0 ? "" : Encoding.ASCII.GetString(bytes, 0, end);
    }
}
