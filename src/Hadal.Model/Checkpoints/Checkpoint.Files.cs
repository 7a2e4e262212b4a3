using Hadal.Model.Checkpoints.Gguf;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <content>Opening the files and checking what they hold.</content>
public sealed partial class Checkpoint
{
    private static Checkpoint OpenGguf(string path)
    {
        var model = GgufModel.Open(path);
        try
        {
            var checkpoint = new Checkpoint(path, model.Config) { IsGguf = true, Metadata = model.Metadata };
            foreach (var (name, tensor) in model.HuggingFaceTensors()) checkpoint._byName.Add(name, tensor);
            checkpoint.CheckTensors();
            foreach (var tensor in model.StoredTensors()) checkpoint._byName.TryAdd(tensor.Description.Name, tensor);
            checkpoint.Tensors = [.. model.StoredTensors().Select(t => t.Description)];
            checkpoint._files.Add(model);
            return checkpoint;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private void OpenFiles()
    {
        string index = Path.Combine(Folder, CheckpointIndex.FileName), single = Path.Combine(Folder, SingleFileName);
        if (File.Exists(index))
        {
            var map = CheckpointIndex.Load(index);
            if (File.Exists(single) && !map.ContainsValue(SingleFileName))
                throw new CheckpointException(Folder, null,
                    $"both {SingleFileName} and {CheckpointIndex.FileName} are there, and the index does not use the file; remove the one that is not meant");
            OpenShards(map, index);
        }
        else if (File.Exists(single))
        {
            var file = SafetensorsFile.Open(single);
            _files.Add(file);
            foreach (var tensor in file.Tensors) _byName.Add(tensor.Name, new StoredTensor.OfSafetensors(file, tensor));
        }
        else
        {
            throw new CheckpointException(Folder, null, $"the folder has neither {SingleFileName} nor {CheckpointIndex.FileName}");
        }

        Tensors = [.. _byName.Values.Select(t => t.Description)];
    }

    private void OpenShards(Dictionary<string, string> map, string index)
    {
        foreach (var shard in map.GroupBy(entry => entry.Value, entry => entry.Key).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            string path = Path.Combine(Folder, shard.Key);
            if (!File.Exists(path))
                throw new CheckpointException(path, null,
                    $"the shard is missing, but {CheckpointIndex.FileName} puts {shard.Count()} tensors into it, {shard.First()} among them");
            var file = SafetensorsFile.Open(path);
            _files.Add(file);
            var listed = shard.ToHashSet();
            foreach (var tensor in file.Tensors)
            {
                if (listed.Remove(tensor.Name)) _byName.Add(tensor.Name, new StoredTensor.OfSafetensors(file, tensor));
            }

            if (listed.Count > 0)
                throw new CheckpointException(path, listed.First(), $"tensor {listed.First()} is not in the file, but {Path.GetFileName(index)} says so");
        }
    }

    private void CheckTensors()
    {
        foreach (var tensor in Catalog.Main) Check(tensor);
        for (int layer = Config.Layers; layer < Config.Layers + Config.MtpLayers; layer++)
        {
            if (!Catalog.Layer(layer).Any(t => _byName.ContainsKey(t.Name))) break;
            foreach (var tensor in Catalog.Layer(layer))
            {
                if (tensor.CopyOf is { } original && !_byName.ContainsKey(tensor.Name)) _byName.Add(tensor.Name, _byName[original]);
                else Check(tensor);
            }

            MtpLayers++;
        }
    }

    private void Check(TensorSpec spec)
    {
        // Whether scales are needed follows from the type that the weight has in the file; Check looks at them there.
        if (spec.IsScale) return;
        if (!_byName.TryGetValue(spec.Name, out var tensor))
            throw new CheckpointException(Folder, spec.Name, $"tensor {spec.Name} is missing; config.json asks for it with shape {spec.Shape}");
        if (tensor.Shape != spec.Shape)
            throw new CheckpointException(tensor.Path, spec.Name, $"tensor {spec.Name} has shape {tensor.Shape}, but config.json asks for {spec.Shape}");
        if (tensor.Description.Blocks is not null || tensor.Type is DType.F32 or DType.BF16 or DType.F16) return;
        if (tensor.Type != DType.F8E4M3 || spec.Type != DType.F8E4M3)
        {
            string right = spec.Type == DType.F8E4M3 ? "F8_E4M3, F32, BF16 or F16" : "F32, BF16 or F16";
            string hint = tensor.Type == DType.F8E4M3 && Config.Quantization is null ? "; config.json has no quantization_config" : "";
            throw new CheckpointException(tensor.Path, spec.Name, $"tensor {spec.Name} has type {tensor.Type.SafetensorsName()}, but must have {right}{hint}");
        }

        CheckScales(spec, tensor.Path);
    }

    private void CheckScales(TensorSpec weight, string path)
    {
        var spec = Catalog.Scales(weight)!;
        if (!_byName.TryGetValue(spec.Name, out var found))
            throw new CheckpointException(path, spec.Name, $"tensor {weight.Name} has type F8_E4M3, but its scales {spec.Name} are missing");
        if (found.Shape != spec.Shape)
            throw new CheckpointException(found.Path, spec.Name,
                $"tensor {spec.Name} has shape {found.Shape}, but the blocks of {weight.Name} ask for {spec.Shape}");
        if (found.Type is not (DType.F32 or DType.BF16 or DType.F16 or DType.F8E8M0))
            throw new CheckpointException(found.Path, spec.Name, $"tensor {spec.Name} has type {found.Type.SafetensorsName()}, but must have F32, BF16, F16 or F8_E8M0");
    }
}
