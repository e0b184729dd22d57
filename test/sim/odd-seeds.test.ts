import { describeSeeds } from './seed-tests.ts';

describeSeeds('odd');
