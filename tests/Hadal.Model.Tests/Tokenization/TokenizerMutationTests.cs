using System.Text;
using System.Text.Json.Nodes;
using Hadal.Model.Chat;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>Whatever is done to the files, reading them ends in a tokenizer that works or in a <see cref="TokenizerException"/>.</summary>
public class TokenizerMutationTests
{
    private const int Mutants = 10_000;

    // The file has some 10 KB; a reader that believes a number in it would ask for gigabytes.
    private const long MostBytes = 32 << 20;

    private static readonly string[] _strange =
    [
        "null", "true", "-1", "0", "1e999", "2147483647", "4294967296", "99999999999999999999", "0.5",
        "\"\"", "\"x\"", "\"\\ud800\"", "[]", "{}", "[[]]", "{\"type\":\"BPE\"}",
    ];

    [Fact]
    public void Ten_thousand_mutants_of_a_tokenizer_file()
        => Run(SmallTokenizer.File, 20240101, static mutant =>
        {
            Tokenizer tokenizer = Tokenizer.Parse(mutant, "mutant");
            int[] ids = tokenizer.Encode("the cat 123 中文 😀 <｜User｜>\n");
            tokenizer.Decode(ids);
        }, atLeastRead: 300);

    [Fact]
    public void Ten_thousand_mutants_of_a_tokenizer_config_file()
    {
        TokenizerFile file = TokenizerFile.Read(SmallTokenizer.File, "file");
        byte[] published = File.ReadAllBytes(Path.Combine(TokenizerData.Folder("deepseek-v3"), "tokenizer_config.json"));
        Run(published, 20240102, mutant =>
        {
            TokenizerSettings settings = TokenizerSettings.Parse(mutant, "mutant");
            ChatTemplate.Recognize(settings)?.Render(new ChatConversation([new ChatMessage("user", "x")]));
            new Tokenizer(file, settings, "mutant").Encode("x", new EncodeOptions { AddBos = true });
        }, atLeastRead: 300);
    }

    private static void Run(byte[] original, int seed, Action<byte[]> read, int atLeastRead)
    {
        read(original);
        Random random = new(seed);
        JsonNode root = JsonNode.Parse(original)!;
        int readable = 0;
        for (int i = 0; i < Mutants; i++)
        {
            byte[] mutant = i % 3 == 0 ? OfStructure(root, random) : OfBytes(original, random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(mutant);
                readable++;
            }
            catch (TokenizerException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
            catch (Exception e)
            {
                Assert.Fail($"mutant {i} of seed {seed}: {e}");
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostBytes);
        }

        // Most mutants are refused, but the loop must get past the parser often enough to mean something.
        Assert.InRange(readable, atLeastRead, Mutants - 1000);
    }

    private static byte[] OfBytes(byte[] original, Random random)
    {
        List<byte> bytes = [.. original];
        for (int edits = random.Next(1, 4); edits > 0 && bytes.Count > 0; edits--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 60), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - length + 1), length));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5:
                    ReplaceNumber(bytes, at, random);
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(random.Next(20) == 0 ? new string('[', 3_000) : _strange[random.Next(_strange.Length)]));
                    break;
            }
        }

        return [.. bytes];
    }

    private static void ReplaceNumber(List<byte> bytes, int from, Random random)
    {
        int start = bytes.FindIndex(from, static b => b is >= (byte)'0' and <= (byte)'9');
        if (start < 0) return;
        int end = start;
        while (end < bytes.Count && bytes[end] is >= (byte)'0' and <= (byte)'9') end++;
        bytes.RemoveRange(start, end - start);
        string[] numbers = ["2147483647", "2147483648", "-2147483648", "1e9", "18446744073709551616", "100000000", "0", "257", "3000"];
        bytes.InsertRange(start, Encoding.ASCII.GetBytes(numbers[random.Next(numbers.Length)]));
    }

    /// <summary>Replaces, removes, doubles or swaps whole values, so that the mutant stays JSON.</summary>
    private static byte[] OfStructure(JsonNode original, Random random)
    {
        JsonNode root = original.DeepClone();
        for (int edits = random.Next(1, 3); edits > 0; edits--)
        {
            JsonNode node = root;
            // Walk down at random; containers near the root are as likely as leaves.
            while (Children(node) is { Length: > 0 } children && random.Next(5) > 0)
            {
                if (children[random.Next(children.Length)] is not { } child) break;
                node = child;
            }

            if (node.Parent is null) continue;
            JsonNode? other = random.Next(4) == 0 ? AnyOf(root, random)?.DeepClone() : JsonNode.Parse(Valid(_strange[random.Next(_strange.Length)]));
            if (node.Parent is JsonObject owner)
            {
                string name = node.GetPropertyName();
                if (random.Next(3) == 0) owner.Remove(name);
                else owner[name] = other;
            }
            else if (node.Parent is JsonArray array)
            {
                int index = node.GetElementIndex();
                if (random.Next(3) == 0) array.RemoveAt(index);
                else if (random.Next(3) == 0) array.Insert(index, node.DeepClone());
                else array[index] = other;
            }
        }

        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static string Valid(string json) => json is "\"\\ud800\"" or "1e999" ? "7" : json;

    private static JsonNode? AnyOf(JsonNode root, Random random)
    {
        JsonNode? node = root;
        for (int depth = random.Next(1, 5); depth > 0 && node is not null && Children(node) is { Length: > 0 } children; depth--)
            node = children[random.Next(children.Length)];
        return ReferenceEquals(node, root) ? null : node;
    }

    private static JsonNode?[] Children(JsonNode node)
        => node switch
        {
            JsonObject o => [.. o.Select(static p => p.Value)],
            JsonArray a => [.. a],
            _ => [],
        };
}
