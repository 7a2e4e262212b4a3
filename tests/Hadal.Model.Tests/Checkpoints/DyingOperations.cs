using Hadal.Model.Checkpoints;

namespace Hadal.Model.Tests.Checkpoints;

/// <summary>Changes files but does not wait for the disk, so that tests with thousands of files are quick.</summary>
internal class UnflushedOperations : FileOperations
{
    public override void FlushFile(string path)
    {
    }

    public override void FlushFolder(string path)
    {
    }
}

/// <summary>Lets a number of changes happen and then dies: the next one is done by half or not at all, and no later one is possible.</summary>
internal sealed class DyingOperations(int steps) : UnflushedOperations
{
    private int _left = steps;

    /// <summary>Fails once with an <see cref="IOException"/> instead, and works again afterwards.</summary>
    public bool Error { get; init; }

    public bool Struck { get; private set; }

    public override void CreateFolder(string path) => Do(() => base.CreateFolder(path));

    public override Stream CreateFile(string path, long length, UnixFileMode? mode = null)
    {
        Stream? stream = null;
        Do(() => stream = base.CreateFile(path, 0, mode));
        return new DyingStream(stream!, this);
    }

    public override void CopyFile(string from, string to) => Do(() => base.CopyFile(from, to));

    public override void Move(string from, string to) => Do(() => base.Move(from, to));

    public override void DeleteFolder(string path) => Do(() => base.DeleteFolder(path), () => File.Delete(Directory.GetFiles(path).Order().FirstOrDefault(path)));

    public override void FlushFile(string path) => Do(() => { });

    public override void FlushFolder(string path) => Do(() => { });

    private void Do(Action change, Action? half = null)
    {
        if (_left-- > 0)
        {
            change();
            return;
        }

        bool first = !Struck;
        Struck = true;
        if (Error && !first)
        {
            change();
            return;
        }

        if (first && !Error) half?.Invoke();
        throw Error ? new IOException("No space left on device") : new DeathException();
    }

    public sealed class DeathException : Exception;

    private sealed class DyingStream(Stream inner, DyingOperations owner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => true;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            byte[] bytes = buffer.ToArray();
            owner.Do(() => inner.Write(bytes), () => inner.Write(bytes.AsSpan(0, bytes.Length / 2)));
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
