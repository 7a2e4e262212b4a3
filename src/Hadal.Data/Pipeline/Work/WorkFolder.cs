using System.Globalization;

namespace Hadal.Data.Pipeline.Work;

/// <summary>The results of a build's tasks, each in a folder that is whole or not there: a task writes beside it and renames at the end.</summary>
/// <param name="root">The folder of them all.</param>
internal sealed class WorkFolder(string root)
{
    public string Root => root;

    /// <summary>The result of a task.</summary>
    public string Of(string stage, int task) => Path.Combine(root, stage, task.ToString("D6", CultureInfo.InvariantCulture));

    public bool IsDone(string stage, int task) => Directory.Exists(Of(stage, task));

    /// <summary>Does a task, unless it is done.</summary>
    public void Do(string stage, int task, WorkTask work, CancellationToken cancellation)
    {
        string done = Of(stage, task), beside = done + ".unfinished";
        if (Directory.Exists(done)) return;
        if (Directory.Exists(beside)) Directory.Delete(beside, recursive: true);
        Directory.CreateDirectory(beside);
        work.Write(beside, cancellation);
        foreach (string file in Directory.GetFiles(beside))
        {
            if (file.EndsWith(".scratch", StringComparison.Ordinal)) File.Delete(file);
            else Flush(file);
        }

        Directory.Move(beside, done);
    }

    // Before the folder has its name: after a power cut it would else be there with files cut short.
    private static void Flush(string file)
    {
        using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }
}
