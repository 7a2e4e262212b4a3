namespace Hadal.Training.Runs;

/// <summary>Says that a process trains in a folder: a file that it holds open for itself, and that means nothing once the process has ended, however it did.</summary>
internal sealed class RunLock : IDisposable
{
    private const string Name = "run.lock";

    // Whoever looks whether the lock is taken has it for a moment.
    private const int Tries = 20;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(10);
    private readonly FileStream _stream;

    private RunLock(FileStream stream) => _stream = stream;

    /// <summary>Takes the lock of a folder.</summary>
    /// <param name="folder">The folder of a run; there.</param>
    /// <exception cref="TrainingException">Another process trains there.</exception>
    public static RunLock Take(string folder)
    {
        string path = Path.Combine(folder, Name);
        for (int i = 0; ; i++)
        {
            try
            {
                return new RunLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose));
            }
            catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
            {
                if (i == Tries) throw new TrainingException($"{folder} is the folder of a run that another process trains; wait for its end, stop it, or choose another folder.");
                Thread.Sleep(_pause);
            }
        }
    }

    /// <summary>Whether a process trains in a folder.</summary>
    public static bool IsTaken(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path)) return false;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None, 1);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
