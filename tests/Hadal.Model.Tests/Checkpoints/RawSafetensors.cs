using System.Buffers.Binary;
using System.Text;

namespace Hadal.Model.Tests.Checkpoints;

/// <summary>Safetensors files put together by hand, well-formed or not.</summary>
internal static class RawSafetensors
{
    public static byte[] File(string header, int dataBytes) => File(header, new byte[dataBytes]);

    public static byte[] File(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        data.CopyTo(file, 8 + json.Length);
        return file;
    }

    public static string Tensor(string name, string type, string shape, long begin, long end) =>
        $$"""{{Quoted(name)}}:{"dtype":"{{type}}","shape":{{shape}},"data_offsets":[{{begin}},{{end}}]}""";

    private static string Quoted(string name) => System.Text.Json.JsonSerializer.Serialize(name);
}
