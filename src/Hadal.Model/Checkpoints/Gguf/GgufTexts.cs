using System.Buffers.Binary;
using System.Text;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>An array of strings, copied out of a checked file.</summary>
/// <param name="bytes">Length and UTF-8 of each.</param>
/// <param name="count">How many.</param>
internal sealed class GgufTexts(byte[] bytes, int count)
{
    public int Count => count;

    /// <summary>The strings in order; bytes that are not UTF-8 become U+FFFD.</summary>
    public IEnumerable<string> Values
    {
        get
        {
            int position = 0;
            for (int i = 0; i < count; i++)
            {
                int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(position));
                yield return Encoding.UTF8.GetString(bytes, position + 8, length);
                position += 8 + length;
            }
        }
    }
}
