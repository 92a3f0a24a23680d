using Alt.Host;

return await CommandLine.RunAsync(args);
