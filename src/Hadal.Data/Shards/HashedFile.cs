using System.Security.Cryptography;

namespace Hadal.Data.Shards;

/// <summary>A file that is written beside its name, with the checksum of what went into it.</summary>
internal sealed class HashedFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[1 << 18];
    private int _held;
    private bool _isComplete;

    public HashedFile(string path)
    {
        _path = path;
        _stream = new FileStream(path + ShardLayout.TemporarySuffix, FileMode.Create, FileAccess.Write, FileShare.Read, 1);
    }

    /// <summary>Bytes written.</summary>
    public long Length { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, _buffer.Length - _held);
            bytes[..count].CopyTo(_buffer.AsSpan(_held));
            _held += count;
            bytes = bytes[count..];
            if (_held == _buffer.Length) Empty();
        }
    }

    /// <summary>Flushes to the disk and gives the file its name.</summary>
    /// <returns>SHA-256 of the content, in lower case.</returns>
    public string Complete()
    {
        Empty();
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_path + ShardLayout.TemporarySuffix, _path, overwrite: true);
        _isComplete = true;
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose()
    {
        _stream.Dispose();
        _hash.Dispose();
        if (!_isComplete) File.Delete(_path + ShardLayout.TemporarySuffix);
    }

    private void Empty()
    {
        _stream.Write(_buffer, 0, _held);
        _hash.AppendData(_buffer, 0, _held);
        _held = 0;
    }
}
