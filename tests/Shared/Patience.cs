using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Hadal.Testing;

/// <summary>Waiting that has an end: what a test waits for comes, or the test fails and says what did not come.</summary>
internal static class Patience
{
    // Far more than a slow machine needs; reached only by what never ends.
    private static readonly TimeSpan _most = TimeSpan.FromMinutes(3);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="holds">The condition, asked every few milliseconds.</param>
    /// <param name="state">Says how things stand, for the failure; or null.</param>
    /// <param name="what">The condition's text.</param>
    public static Task UntilAsync(Func<bool> holds, Func<object>? state = null, [CallerArgumentExpression(nameof(holds))] string what = "") =>
        UntilAsync(() => Task.FromResult(holds()), state, what);

    /// <inheritdoc cref="UntilAsync(Func{bool}, Func{object}?, string)"/>
    public static async Task UntilAsync(Func<Task<bool>> holds, Func<object>? state = null, [CallerArgumentExpression(nameof(holds))] string what = "")
    {
        for (var clock = Stopwatch.StartNew(); !await holds(); await Task.Delay(5, TestContext.Current.CancellationToken))
        {
            if (clock.Elapsed > _most) Assert.Fail($"Waited {_most.TotalMinutes} minutes for {what}{(state is null ? "" : $"; it is {state()}")}.");
        }
    }

    /// <summary>Waits for something that ends by itself.</summary>
    /// <param name="task">What to wait for.</param>
    /// <param name="what">Its text.</param>
    public static async Task BoundedAsync(this Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        try
        {
            await task.WaitAsync(_most, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            Assert.Fail($"Waited {_most.TotalMinutes} minutes for {what}.");
        }
    }

    /// <inheritdoc cref="BoundedAsync(Task, string)"/>
    public static async Task<T> BoundedAsync<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await ((Task)task).BoundedAsync(what);
        return await task;
    }
}
